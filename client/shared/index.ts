/**
 * Several documents of a server over one WebSocket.
 *
 * @example
 *   import { shared } from 'inkwire/client/shared'
 * @module inkwire/client/shared
 */
import type { ConnectionKind, WebSocketClass } from '../options.js'
import { Trunk } from './trunk.js'
import { VirtualSocket } from './virtual-socket.js'

const trunks = new WeakMap<WebSocketClass, Map<string, Trunk>>()

/**
 * For the option `connection`: all documents of a server that are opened with it share one WebSocket (PROTOCOL X11).
 * Everything else is as with a socket each: access, tokens, acks, save status, close codes, reconnecting. Against a
 * server that can't do it, each has a socket of its own, as has each document beyond what the server takes on one.
 *
 * The WebSocket opens with the first document and closes a second after the last one. Documents with another
 * `WebSocketPolyfill` have another.
 *
 * @example
 *   import { InkwireProvider } from 'inkwire/client'
 *   import { shared } from 'inkwire/client/shared'
 *   const open = (name: string) => new InkwireProvider('wss://example.com', name, new Y.Doc(), { connection: shared })
 *   const cards = ['card/1', 'card/2', 'card/3'].map(open)
 */
export const shared: ConnectionKind = (serverUrl, WebSocket) => {
  const base = serverUrl.replace(/^http/, 'ws')
  const byServer = trunks.get(WebSocket) ?? new Map<string, Trunk>()
  trunks.set(WebSocket, byServer)
  const trunk = byServer.get(base) ?? new Trunk(base, WebSocket)
  byServer.set(base, trunk)
  if (trunk.apart) return WebSocket
  return class extends VirtualSocket {
    constructor(url: string, protocols: string[] = []) {
      super(trunk, url, protocols)
    }
  }
}
