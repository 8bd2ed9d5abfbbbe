import type { InkwireProvider } from '../index.js'

/** What the page knows about the way to the server. */
export type Connection =
  /** The first attempt is under way. */
  | { readonly state: 'connecting' }
  /** The server answers; what it has is on its way here. */
  | { readonly state: 'syncing' }
  /** Everything that the server has is here. */
  | { readonly state: 'live' }
  /** There is no connection, and the provider keeps trying. */
  | { readonly state: 'lost' }
  /** The server refused for good. */
  | { readonly state: 'stopped'; readonly code: number; readonly reason: string }

/** What a provider tells about it, and that somebody wants to try anew. */
export type ConnectionEvent =
  | { readonly type: 'wanted' }
  | { readonly type: 'status'; readonly status: 'connected' | 'connecting' | 'disconnected' }
  | { readonly type: 'synced' }
  | { readonly type: 'closed'; readonly code: number; readonly reason: string }

/**
 * One step. Attempts to reconnect are no news: what is lost stays lost until the server answers.
 *
 * @example nextConnection({ state: 'lost' }, { type: 'status', status: 'connecting' }) // { state: 'lost' }
 */
export const nextConnection = (connection: Connection, event: ConnectionEvent): Connection => {
  switch (event.type) {
    case 'wanted':
      return { state: 'connecting' }
    case 'synced':
      return { state: 'live' }
    case 'closed':
      return { state: 'stopped', code: event.code, reason: event.reason }
    case 'status':
      switch (event.status) {
        case 'connected':
          return { state: 'syncing' }
        case 'connecting':
          return connection.state === 'stopped' ? { state: 'connecting' } : connection
        case 'disconnected':
          return { state: 'lost' }
        default:
          return event.status satisfies never
      }
    default:
      return event satisfies never
  }
}

/**
 * Follows a provider until that is destroyed.
 *
 * @param changed called with each change
 * @returns to be called when a connection is wanted again that was not wanted for a while
 */
export const followConnection = (
  provider: InkwireProvider,
  changed: (connection: Connection) => void,
): (() => void) => {
  let connection: Connection = { state: 'connecting' }
  const step = (event: ConnectionEvent): void => {
    connection = nextConnection(connection, event)
    changed(connection)
  }
  provider.on('status', ({ status }) => step({ type: 'status', status }))
  provider.on('synced', (synced) => synced && step({ type: 'synced' }))
  provider.on('closed', ({ code, reason }) => step({ type: 'closed', code, reason }))
  return () => step({ type: 'wanted' })
}
