import { serverUrl } from './address.js'

const RETRY_MS = 1_000

/** What the page knows of its server. */
export interface Server {
  /** Where the documents are, as a WebSocket URL. */
  readonly url: string
  /** Whether it asks for tokens; null: it doesn't say. */
  readonly authorization: boolean | null
}

/**
 * Asks the server that sent this page where its documents are, until it answers.
 *
 * @param unreachable called with each attempt that came to nothing
 */
export const findServer = async (page: string, unreachable: () => void): Promise<Server> => {
  for (;;) {
    try {
      const response = await fetch(new URL('demo.json', page))
      return read(page, response.ok ? await response.json() : null)
    } catch {
      unreachable()
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

const read = (page: string, answer: unknown): Server => {
  const { pathPrefix, authorization } = Object(answer) as Readonly<Record<string, unknown>>
  return {
    url: serverUrl(page, typeof pathPrefix === 'string' ? pathPrefix : '/'),
    authorization: typeof authorization === 'boolean' ? authorization : null,
  }
}
