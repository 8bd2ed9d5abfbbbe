import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { WebSocketClass } from '../../client/index.js'
import type { RawChannel } from './shared-raw.js'
import { until } from './until.js'

/** Sockets that were opened by this class. */
export const counted = (): { sockets: WebSocket[]; WebSocketPolyfill: WebSocketClass } => {
  const sockets: WebSocket[] = []
  class Counted extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols)
      sockets.push(this)
    }
  }
  return { sockets, WebSocketPolyfill: Counted }
}

/** An update that brings a text, of a client of its own. */
export const updateOf = (text: string, client = 1 + Math.floor(Math.random() * 2 ** 31)): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** So many updates of a channel are durable. */
export const durable = (channel: RawChannel, count: number): Promise<unknown> =>
  until(`${count} are durable`, () => (channel.all('ack').at(-1)?.durable ?? 0) >= count)
