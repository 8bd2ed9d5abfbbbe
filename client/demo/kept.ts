/** What this browser keeps of documents, beside those that are open. */

/** The code for it is loaded when it is wanted, together with that of the provider's option `offline`. */
const load = () => import('../offline/index.js')

/**
 * The documents of which the browser keeps edits that the server doesn't have: a window was closed before they
 * were sent. None where the browser keeps nothing.
 *
 * @param serverUrl as it was given to the provider
 */
export const namesWithUnsent = async (serverUrl: string): Promise<readonly string[]> => {
  try {
    const prefix = `${serverUrl.replace(/\/+$/, '')}/`
    const documents = await (await load()).documentsOnDevice()
    return documents
      .filter(({ key, unsaved }) => unsaved > 0 && key.startsWith(prefix))
      .map(({ key }) => key.slice(prefix.length))
  } catch {
    return []
  }
}

/**
 * Deletes what the browser keeps of a document, but no edits that the server doesn't have.
 *
 * @param evenUnsent whether to delete these, too
 * @returns whether it keeps nothing of it now
 */
export const forget = async (serverUrl: string, name: string, evenUnsent = false): Promise<boolean> => {
  try {
    if (!evenUnsent && (await namesWithUnsent(serverUrl)).includes(name)) return false
    await (await load()).deleteFromDevice(serverUrl, name)
  } catch {
    // It keeps nothing, then.
  }
  return true
}
