import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { Connection } from '../../server/connection.js'
import { Counters } from '../../server/observe/counters.js'
import { Outflow } from '../../server/outflow.js'

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
  const ws = Object.assign(new EventEmitter(), { OPEN: 1, readyState: 1 })
  const events = {
    message: nothing,
    pinged: nothing,
    read: nothing,
    drained: nothing,
    failed: nothing,
    closing: nothing,
    ended: nothing,
  }
  const connection = new Connection(
    // As much of one as is used here.
    ws as unknown as WebSocket,
    socket,
    events,
    { counters: new Counters(), maxBufferedBytes: 20, outflow: new Outflow(setImmediate), gather },
  )
  return { connection, handed }
}

const say = (connection: Connection, ...texts: string[]): void => {
  for (const text of texts) connection.write([Buffer.from(text)])
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
    expect(connection.congested).toBe(false)
    say(connection, 'y')
    expect(connection.congested).toBe(true)
  })

  it('another doesn’t wait', () => {
    const { connection, handed } = connect(false)
    say(connection, 'a', 'b')
    expect(handed).toEqual(['a', 'b'])
  })
})
