import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Connection } from '../../server/clients/connection.js'
import { InTurns } from '../../server/limits/in-turns.js'
import { ServerSocket } from '../../server/websocket/server-socket.js'
import { lineOptions } from '../support/line-options.js'

const nothing = (): void => undefined

/** A connection, and what its socket handed to the system, write by write. */
const connect = (gather: boolean): { connection: Connection; handed: string[] } => {
  const handed: string[] = []
  const socket = new Duplex({
    highWaterMark: 10,
    read: nothing,
    write: (chunk: Buffer, _encoding, done) => {
      handed.push(String(chunk))
      done()
    },
    writev: (chunks, done) => {
      handed.push(chunks.map(({ chunk }) => String(chunk)).join(''))
      done()
    },
  })
  const events = {
    message: nothing,
    pinged: nothing,
    read: nothing,
    drained: nothing,
    failed: nothing,
    closing: nothing,
    ended: nothing,
  }
  const reading = new InTurns({ soon: setImmediate, clock: () => 0, ms: 8 })
  const wire = new ServerSocket(socket, Buffer.of(), {
    maxMessageBytes: 1024,
    reading,
    writing: lineOptions(20),
  })
  const connection = new Connection(wire, events)
  if (gather) wire.line.gather()
  return { connection, handed }
}

const say = (connection: Connection, ...texts: string[]): void => {
  for (const text of texts) connection.outlet.write([Buffer.from(text)])
}

describe('a connection that many write to', () => {
  it('hands over in one go what is written before the event loop goes on', async () => {
    const { connection, handed } = connect(true)
    say(connection, 'a', 'b', 'c')
    expect(handed).toEqual([])
    await new Promise(setImmediate)
    say(connection, 'd')
    await new Promise(setImmediate)
    expect(handed).toEqual(['abc', 'd'])
  })

  it('is congested by what it has gathered', () => {
    const { connection } = connect(true)
    say(connection, 'x'.repeat(20))
    expect(connection.outlet.congested).toBe(false)
    say(connection, 'y')
    expect(connection.outlet.congested).toBe(true)
  })

  it('another doesn’t wait', () => {
    const { connection, handed } = connect(false)
    say(connection, 'a', 'b')
    expect(handed).toEqual(['a', 'b'])
  })
})
