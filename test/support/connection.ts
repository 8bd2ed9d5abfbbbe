import type { ConnectionKind } from '../../client/index.js'

/** The built one, as the package's users get it. */
export const { shared } = (await import(
  new URL('../../dist/client/shared/index.js', import.meta.url).href
)) as typeof import('../../client/shared/index.js')

let present: ConnectionKind | undefined

/** What providers of tests connect by where a test says nothing else; undefined: a socket each. */
export const usualConnection = (): { connection?: ConnectionKind } => (present ? { connection: present } : {})

/** Has all providers of a test file share connections: the same tests, for the same behaviour. */
export const shareByDefault = (): void => {
  present = shared
}
