import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Connection } from '../../server/clients/connection.js'
import { InTurns } from '../../server/limits/in-turns.js'
import { ServerSocket } from '../../server/websocket/server-socket.js'
import { lineOptions } from '../support/line-options.js'
import { closed, HeldSocket, settled } from '../support/server-socket.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const nothing = (): void => undefined

const connect = (): { connection: Connection; socket: HeldSocket; told: string[] } => {
  const told: string[] = []
  const socket = new HeldSocket()
  const wire = new ServerSocket(socket, Buffer.of(), {
    maxMessageBytes: 1024,
    reading: new InTurns({ soon: setImmediate, clock: () => 0, ms: 8 }),
    writing: lineOptions(),
  })
  const connection = new Connection(wire, {
    message: nothing,
    pinged: nothing,
    read: nothing,
    drained: nothing,
    failed: nothing,
    closing: (code, reason) => void told.push(`closing ${code} ${reason}`),
    ended: (code) => void told.push(`ended ${code}`),
  })
  return { connection, socket, told }
}

/** Two pieces of one message; the first is more than a socket takes in one go. */
const message = [[Buffer.alloc(2 ** 17, 1)], [Buffer.alloc(4, 2)]]

it('closing while a message waits that goes out in pieces says why, and nothing of the message', async () => {
  const { connection, socket, told } = connect()
  connection.outlet.stream(message)
  connection.close(1012, 'the server restarts')
  await settled()
  expect(socket.sent).toBe(closed(1012, 'the server restarts'))
  socket.finish()
  await settled()
  expect(told).toEqual(['closing 1012 the server restarts', 'ended 1006'])
  expect(vi.getTimerCount()).toBe(0)
})

it('closing in the middle of a message cuts: a close frame would be a part of it', async () => {
  const { connection, socket, told } = connect()
  socket.stick()
  connection.outlet.stream(message)
  await settled()
  connection.close(1012, 'the server restarts')
  await settled()
  expect(socket.sent === '01'.repeat(2 ** 17)).toBe(true)
  expect([socket.destroyed, ...told]).toEqual([true, 'closing 1012 the server restarts', 'ended 1006'])
  expect(vi.getTimerCount()).toBe(0)
})
