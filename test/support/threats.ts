import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { forge } from './forge.js'
import { connectRaw, type Raw } from './raw.js'
import { until } from './until.js'

/** Somebody honest in the same document, who must notice nothing. */
export const bystander = async (ws: string, document = 'doc') => {
  const raw = await connectRaw(`${ws}/${document}`, [SUBPROTOCOL])
  await raw.first('hello')
  let clock = 0
  return {
    raw,
    /** Writes, and sees that it is saved. */
    isServed: async (): Promise<void> => {
      raw.send({ type: 'update', update: forge({ client: 77, clock, structs: [{ text: 'ok' }] }) })
      clock += 2
      await until('the bystander is served', () => raw.all('ack').at(-1)?.durable === clock / 2)
      expect(raw.socket.readyState).toBe(WebSocket.OPEN)
    },
  }
}

/** Connects, and waits until the server has said its first word. */
export const enter = async (url: string, extended = false): Promise<Raw> => {
  const raw = await connectRaw(url, extended ? [SUBPROTOCOL] : [])
  await raw.first('syncStep1')
  return raw
}

/** A log, and what it was told. */
export const logger = () => {
  const lines: string[] = []
  const say = (fields: unknown, message: string): void =>
    void lines.push(JSON.stringify({ ...Object(fields), message }))
  const log = { debug: say, info: say, warn: say, error: say, child: () => log }
  return { lines, log }
}
