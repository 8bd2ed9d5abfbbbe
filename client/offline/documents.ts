import { deviceKey } from './contract.js'
import { forget, withDatabase } from './forget.js'
import { type DocumentRecord, keysOf } from './store.js'

/**
 * A document that lies on this device.
 *
 * @example
 *   for (const { key, unsaved } of await documentsOnDevice()) console.log(key, unsaved)
 */
export interface DeviceDocument {
  /** The server's URL and the document's name, with a slash between. */
  readonly key: string
  /** The history that its content is of; null if it never was on a server that says so. */
  readonly generation: string | null
  /** Edits that are not known to be on the server's disk; at least so many. */
  readonly unsaved: number
}

/**
 * All documents that the option `offline` has put on this device, for this origin.
 *
 * @throws InkwireError INKWIRE_DEVICE_UNAVAILABLE; INKWIRE_DEVICE_FAILED.
 * @example
 *   const unsent = (await documentsOnDevice()).filter(({ unsaved }) => unsaved > 0)
 */
export const documentsOnDevice = async (): Promise<readonly DeviceDocument[]> => {
  const found: DeviceDocument[] = []
  await withDatabase(({ documents, unsaved }, then) => {
    then(documents.getAllKeys(), (keys) => {
      then<DocumentRecord[]>(documents.getAll(), (records) => {
        records.forEach(({ epoch, generation }, index) => {
          then<{ count: number }[]>(unsaved.getAll(keysOf(epoch)), (marks) => {
            const count = Math.max(0, ...marks.map((mark) => mark.count))
            found.push({ key: String(keys[index]), generation, unsaved: count })
          })
        })
      })
    })
  })
  return found
}

/**
 * Deletes a document from this device, unsaved edits included; on the server it stays. Providers that have
 * it open, in any tab, stop storing it (`device` with INKWIRE_DEVICE_FORGOTTEN).
 *
 * @param serverUrl and `roomname` as they were given to the provider.
 * @throws InkwireError INKWIRE_DEVICE_UNAVAILABLE; INKWIRE_DEVICE_FAILED.
 * @example
 *   await deleteFromDevice('wss://example.org', 'notes')
 */
export const deleteFromDevice = (serverUrl: string, roomname: string): Promise<void> =>
  forget(deviceKey(serverUrl, roomname))

/**
 * Deletes all documents from this device, as one should when a user logs out: what is stored belongs to
 * whoever uses this browser.
 *
 * @throws InkwireError INKWIRE_DEVICE_UNAVAILABLE; INKWIRE_DEVICE_FAILED.
 * @example
 *   logOutButton.onclick = async () => { await deleteAllFromDevice(); location.href = '/login' }
 */
export const deleteAllFromDevice = (): Promise<void> =>
  withDatabase((tables) => {
    for (const table of Object.values(tables)) table.clear()
  })
