import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { InkwireOptions, InkwireProvider as Provider } from '../../client/index.js'
import { usualConnection } from './connection.js'

/** The built client, as the package's users get it. */
const { InkwireProvider } = (await import(
  new URL('../../dist/client/index.js', import.meta.url).href
)) as typeof import('../../client/index.js')

/** Our provider over `ws`, with its document and the text in it; destroyed after the test. */
export const createProvider = (
  url: string,
  name: string,
  options: InkwireOptions = {},
  doc = new Y.Doc(),
): { provider: Provider; doc: Y.Doc; text: Y.Text } => {
  const provider = new InkwireProvider(url, name, doc, {
    WebSocketPolyfill: WebSocket,
    maxBackoffTime: 100,
    ...usualConnection(),
    ...options,
  })
  onTestFinished(() => {
    provider.destroy()
    doc.destroy()
  })
  return { provider, doc, text: doc.getText('t') }
}

/** A promise for an event's first argument. */
export const nextEvent = <T>(subscribe: (resolve: (value: T) => void) => void): Promise<T> =>
  new Promise(subscribe)
