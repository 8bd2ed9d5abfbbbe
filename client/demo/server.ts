import { serverUrl } from './address.js'

const RETRY_MS = 1_000

/**
 * Asks the server that sent this page where its documents are, until it answers.
 *
 * @param unreachable called with each attempt that came to nothing
 */
export const findServer = async (page: string, unreachable: () => void): Promise<string> => {
  for (;;) {
    try {
      const response = await fetch(new URL('demo.json', page))
      return serverUrl(page, response.ok ? pathPrefixIn(await response.json()) : '/')
    } catch {
      unreachable()
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

const pathPrefixIn = (answer: unknown): string => {
  const { pathPrefix } = Object(answer) as { readonly pathPrefix?: unknown }
  return typeof pathPrefix === 'string' ? pathPrefix : '/'
}
