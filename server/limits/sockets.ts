import type { Server, Socket } from 'node:net'
import { type Proxies, peerKey } from './address.js'
import type { Limits } from './limits.js'
import { Tally } from './tally.js'

/** Sockets beside the connections that count: for pages, health checks, and those that are being turned away. */
const SPARE = 256

/**
 * Bounds a server's bare sockets, all together and per address, whether or not they say anything. Behind a proxy, it is
 * up to the proxy to bound those of one address.
 *
 * @param refused a socket was closed at once.
 */
export const limitSockets = (server: Server, limits: Limits, proxies: Proxies, refused: () => void): void => {
  const sockets = new Tally<string>(limits.maxConnectionsPerAddress + SPARE)
  server.maxConnections = limits.maxConnections + SPARE
  server.on('drop', refused)
  server.on('connection', (socket: Socket) => {
    const key = peerKey(socket.remoteAddress ?? '', proxies)
    if (key === null) return
    if (sockets.enter(key)) socket.once('close', () => sockets.leave(key))
    else {
      socket.destroy()
      refused()
    }
  })
}
