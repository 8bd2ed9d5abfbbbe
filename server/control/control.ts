import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type ControlAppDeps, createControlApp } from './app.js'
import { placeSocket } from './socket.js'

/** How long requests that are under way may take when the server stops, ms. */
const GRACE_MS = 1000

/** The way by which the operator's tools reach a running server. */
export interface Control {
  /**
   * Listens at a socket in the data folder. Never fails: without it the server serves as well, so what goes wrong is
   * a warning in the log.
   */
  listen(folder: string): Promise<void>
  /** Takes nothing more, waits for what is under way for at most a second, and removes the socket. Idempotent. */
  close(): Promise<void>
}

/** Makes a control channel that isn't open yet. */
export const createControl = (deps: ControlAppDeps): Control => {
  const { log } = deps
  // The default would replace the process's own Request and Response, which belong to the app around us.
  const app = createControlApp(deps)
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  let server: Server | null = null
  let remove: () => Promise<void> = async () => undefined
  let opening: Promise<void> = Promise.resolve()
  let closing: Promise<void> | null = null

  const open = async (folder: string): Promise<void> => {
    const placed = await placeSocket(folder, async (path) => {
      const http = createServer((request, response) => {
        response.once('close', () => closing && setImmediate(() => http.closeIdleConnections()))
        void listener(request, response)
      })
      // A tool that computes for a while keeps its connection.
      http.keepAliveTimeout = 0
      await new Promise<void>((resolve, reject) => {
        http.once('error', reject)
        http.listen(path, resolve)
      })
      server = http
    })
    remove = placed.remove
    log.debug({ path: placed.path }, 'tools reach this server by a socket')
  }

  const shut = async (): Promise<void> => {
    await opening
    if (!server) return
    await stop(server)
    await remove().catch((err: unknown) => log.warn({ err }, 'the control socket could not be removed'))
  }

  return {
    listen: (folder) => {
      if (!closing) {
        opening = open(folder).catch((err: unknown) => {
          log.warn({ err }, 'there is no control socket: tools work while the server is stopped')
        })
      }
      return opening
    },
    close: () => {
      closing ??= shut()
      return closing
    },
  }
}

const stop = async (server: Server): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearTimeout(timer)
}
