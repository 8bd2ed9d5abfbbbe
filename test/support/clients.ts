import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { InkwireProvider as Provider, WebSocketLike } from '../../client/index.js'
import { shared as sharedConnection, usualConnection } from './connection.js'
import { until } from './until.js'

/** The built client, as the package's users get it. */
const { InkwireProvider } = (await import(
  new URL('../../dist/client/index.js', import.meta.url).href
)) as typeof import('../../client/index.js')

// y-websocket's provider listens to the end of the process, and tests have many of them.
process.setMaxListeners(0)

/** y-websocket's provider, unmodified, or ours; with a socket each, or one for all of this kind and server. */
export type Kind = 'stock' | 'ours' | 'shared'

/** A provider and its document, the same for all kinds. */
export interface Client {
  readonly kind: Kind
  readonly doc: Y.Doc
  /** The text named `text`. */
  readonly text: Y.Text
  /** Ours; null for the stock one. */
  readonly ours: Provider | null
  readonly synced: boolean
  readonly whenSynced: () => Promise<void>
  /** Calls `listener` in the moment when the provider says so. */
  onSync(listener: (synced: boolean) => void): void
  /** Calls `listener` when the provider gives up for good, with the close code. */
  onClosed(listener: (code: number) => void): void
  /** Edits that are waiting to be sent, bytes. */
  readonly backlog: number
  /** Breaks the connection as a lost network would. It connects again by itself. */
  cut(): void
  disconnect(): void
  connect(): void
  /** Disconnects for good and lets go of the document. */
  destroy(): void
}

export interface ClientOptions {
  readonly doc?: Y.Doc
  readonly connect?: boolean
  /** Longest time between two attempts to connect, ms. Default 100: tests restart servers. */
  readonly maxBackoffMs?: number
  /** Instead of the `ws` package's class. */
  readonly WebSocket?: new (
    url: string,
    protocols?: string[],
  ) => WebSocket
}

/** Connects a client; destroyed after the test. */
export const openClient = (kind: Kind, ws: string, name: string, options: ClientOptions = {}): Client => {
  const { doc = new Y.Doc(), connect = true, maxBackoffMs = 100 } = options
  const shared = { connect, disableBc: true, maxBackoffTime: maxBackoffMs }
  const Class = options.WebSocket ?? WebSocket
  const connection = kind === 'shared' ? { connection: sharedConnection } : usualConnection()
  const provider =
    kind !== 'stock'
      ? new InkwireProvider(ws, name, doc, { ...shared, ...connection, WebSocketPolyfill: Class })
      : new WebsocketProvider(ws, name, doc, {
          ...shared,
          // The same thing to a provider; only the types differ.
          WebSocketPolyfill: Class as unknown as typeof globalThis.WebSocket,
        })
  const socket = () => provider.ws as WebSocket | WebSocketLike | null
  const destroy = (): void => {
    provider.destroy()
    doc.destroy()
  }
  onTestFinished(destroy)
  return {
    kind,
    doc,
    text: doc.getText('text'),
    ours: provider instanceof InkwireProvider ? provider : null,
    get synced() {
      return provider.synced
    },
    onSync: (listener) => {
      if (provider instanceof InkwireProvider) provider.on('sync', listener)
      else provider.on('sync', listener)
    },
    onClosed: (listener) => {
      if (provider instanceof InkwireProvider) provider.on('closed', ({ code }) => listener(code))
      else provider.on('closed', ({ code }) => listener(code))
    },
    whenSynced: async () => void (await until(`${name} is synced`, () => provider.synced)),
    get backlog() {
      return socket()?.bufferedAmount ?? 0
    },
    cut: () => {
      const present = socket()
      if (present instanceof WebSocket) present.terminate()
      // Of a connection that others share only this.
      else present?.close()
    },
    disconnect: () => provider.disconnect(),
    connect: () => provider.connect(),
    destroy,
  }
}
