import { once } from 'node:events'
import { connect } from 'node:net'

/** What operators' programs ask for again and again. */
const PATHS = ['/healthz', '/metrics']
/** Longer than that it doesn't wait for an answer, ms. */
const PATIENCE_MS = 1000

/**
 * Asks a server on this machine how it is, by plain HTTP, and goes. Code that has seen nothing but WebSockets would be
 * compiled again at the first such request.
 */
export const passBy = async (port: number): Promise<void> => {
  const socket = connect(port, '127.0.0.1')
  // Whatever happens to it ends it, and it won't be missed.
  socket.on('error', () => undefined)
  const late = setTimeout(() => socket.destroy(), PATIENCE_MS)
  for (const path of PATHS) {
    if (socket.destroyed) break
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => socket.destroy())
  }
  clearTimeout(late)
  socket.destroy()
}
