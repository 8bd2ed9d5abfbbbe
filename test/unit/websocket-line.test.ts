import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { descriptorOf, NO_DESCRIPTOR, writeNow } from '../../server/websocket/descriptor.js'
import { Line } from '../../server/websocket/line.js'
import { Outflow } from '../../server/websocket/outflow.js'
import { ServerSocket } from '../../server/websocket/server-socket.js'
import { lineOptions } from '../support/line-options.js'
import { until } from '../support/until.js'

const MIB = 1024 * 1024

let server: Server
let near: Socket
let far: Socket

/** Both ends of a connection: `near` is the server's, `far` reads only when it is told to. */
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  far = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  ;[near] = (await once(server, 'connection')) as [Socket]
  near.on('error', () => undefined)
  far.on('error', () => undefined)
})

afterEach(() => {
  near.destroy()
  far.destroy()
  server.close()
})

/** All that the other end reads until it is as much as `bytes`. */
const reading = (): { bytes: () => Buffer; count: () => number } => {
  const chunks: Buffer[] = []
  let count = 0
  far.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    count += chunk.length
  })
  far.resume()
  return { bytes: () => Buffer.concat(chunks), count: () => count }
}

/** A frame of so many bytes that says which it is in each of them. */
const numbered = (n: number, bytes: number): Uint8Array => new Uint8Array(bytes).fill(n)

describe('what is written to a line', () => {
  it('goes past the stream as long as nothing waits in it', async () => {
    const line = new Line(near, lineOptions(), () => undefined)
    const { bytes } = reading()
    line.write([Buffer.from('a')])
    line.write([Buffer.from('b'), Buffer.from('c')])
    line.control(Buffer.from('d'))
    await until('it has all', () => bytes().toString() === 'abcd')
    expect(near.bytesWritten).toBe(0)
    expect(line.congested).toBe(false)
  })

  it('comes in order and whole, whatever of it the system takes at once', async () => {
    const line = new Line(near, lineOptions(), () => undefined)
    const sizes = [10, 116 * MIB, 20, 4 * MIB, 5, 2 * MIB, 30]
    const frames = sizes.map((size, i) => numbered(i + 1, size))
    line.write([frames[0] as Uint8Array])
    line.write([frames[1] as Uint8Array])
    line.control(frames[2] as Uint8Array)
    expect(line.congested).toBe(true)
    line.write(frames.slice(3, 5))
    line.stream([[frames[5] as Uint8Array]])
    line.write([frames[6] as Uint8Array])
    near.on('drain', () => line.goOn())
    const { bytes, count } = reading()
    const expected = Buffer.concat(frames)
    await until('it has all', () => count() >= expected.length)
    expect(bytes().equals(expected)).toBe(true)
    expect(line.congested).toBe(false)
  })

  it('comes after what waits in the stream, also when the system has room for it already', async () => {
    const line = new Line(near, lineOptions(), () => undefined)
    line.write([numbered(1, 16 * MIB)])
    const fd = descriptorOf(far, () => undefined)
    const taken: Buffer[] = []
    // Before the event loop finds out that there is room again.
    for (let total = 0; total < 2 * MIB; ) {
      const piece = Buffer.alloc(2 * MIB - total)
      taken.push(piece.subarray(0, readSync(fd, piece)))
      total += taken.at(-1)?.length ?? 0
    }
    line.write([Buffer.from('a')])
    line.control(Buffer.from('b'))
    const { bytes, count } = reading()
    const before = Buffer.concat(taken)
    await until('it has all', () => before.length + count() >= 16 * MIB + 2)
    expect(
      Buffer.concat([before, bytes()]).equals(Buffer.concat([numbered(1, 16 * MIB), Buffer.from('ab')])),
    ).toBe(true)
  })

  it('goes past the stream again when what waited is gone', async () => {
    const line = new Line(near, lineOptions(), () => undefined)
    line.write([numbered(1, 116 * MIB)])
    expect(near.writableLength).toBeGreaterThan(0)
    const { bytes } = reading()
    await until('it is gone', () => near.writableLength === 0 && bytes().length === 116 * MIB)
    const before = near.bytesWritten
    line.write([Buffer.from('a')])
    await until('it is here', () => bytes().length === 116 * MIB + 1)
    expect(near.bytesWritten).toBe(before)
  })

  it('comes after a message that goes out in pieces, also while nothing of that waits', async () => {
    const outflow = new Outflow(() => undefined)
    const line = new Line(near, { ...lineOptions(), outflow }, () => undefined)
    line.stream([[Buffer.from('a')], [Buffer.from('b')]])
    line.flow(1)
    line.write([Buffer.from('c')])
    line.flow(MIB)
    line.write([Buffer.from('d')])
    const { bytes } = reading()
    await until('it has all', () => bytes().toString() === 'abcd')
  })

  it('is gathered in the stream, if it is to be', async () => {
    const line = new Line(near, lineOptions(), () => undefined)
    line.write([Buffer.from('a')])
    line.gather()
    line.write([Buffer.from('b')])
    line.write([Buffer.from('c')])
    expect(near.writableLength).toBe(2)
    const { bytes } = reading()
    await until('it has all', () => bytes().toString() === 'abc')
  })

  it('counts as bytes out, past the stream or not, control frames too', async () => {
    const options = lineOptions()
    const line = new Line(near, options, () => undefined)
    line.write([Buffer.from('abc')])
    line.write([numbered(1, 16 * MIB)])
    line.write([Buffer.from('d')])
    line.control(Buffer.from('ef'))
    expect(options.counters.bytesOut).toBe(3 + 16 * MIB + 1 + 2)
  })

  it('is lost without harm when the other end is gone', async () => {
    const line = new Line(near, lineOptions(), () => undefined)
    far.resetAndDestroy()
    await until('the system knows', () => {
      line.write([Buffer.from('a')])
      return near.destroyed
    })
    line.write([Buffer.from('b')])
    expect(line.congested).toBe(false)
  })
})

describe('a socket that takes nothing any more', () => {
  /** With TLS, say: one whose end a line isn't told before its owner is. */
  const other = (): Duplex =>
    new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })

  it('gets nothing more, and nothing counts as sent', () => {
    const socket = other()
    const options = lineOptions()
    const line = new Line(socket, options, () => undefined)
    socket.destroy()
    line.write([Buffer.from('a')])
    line.write([numbered(1, 4096), numbered(2, 4096)])
    expect(options.counters.bytesOut).toBe(0)
  })

  it('is not what a message is made in pieces for', () => {
    const socket = other()
    const options = lineOptions()
    const line = new Line(socket, { ...options, outflow: new Outflow(() => undefined) }, () => undefined)
    let made = 0
    const pieces = function* (): Generator<Uint8Array[]> {
      for (;;) yield [numbered(++made, 10)]
    }
    line.stream(pieces())
    line.flow(1)
    socket.destroy()
    expect(line.flow(MIB)).toEqual({ written: 0, more: false })
    expect({ made, sent: options.counters.bytesOut }).toEqual({ made: 1, sent: 10 })
  })

  it('sends what is on its way to one who has ended, though more is said before that was its turn', async () => {
    // As sockets are that a cluster's primary hands on: Node ends them by itself.
    near.allowHalfOpen = false
    const turns: (() => void)[] = []
    const wire = new ServerSocket(near, Buffer.of(), {
      maxMessageBytes: 1000,
      reading: { begin: () => false, done: () => undefined, later: (task) => void turns.push(task) },
      writing: lineOptions(),
    })
    const nothing = (): void => undefined
    wire.start({
      message: nothing,
      pinged: nothing,
      read: nothing,
      failed: nothing,
      drained: nothing,
      ended: nothing,
    })
    wire.line.write([numbered(1, 16 * MIB)])
    far.end()
    await until('Node has ended it', () => near.writableEnded)
    wire.line.write([Buffer.from('a')])
    const { count } = reading()
    await until('it has what was on its way', () => count() === 16 * MIB || near.destroyed)
    for (const turn of turns) turn()
    await until('it has all', () => count() === 16 * MIB)
    near.destroy()
  })
})

describe('a closed socket’s descriptor', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'inkwire-line-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Opens files until one has got the number: that of the socket, which is free. */
  const takeOver = (fd: number): { file: string; opened: number[] } => {
    const opened: number[] = []
    for (let i = 0; i < 1000; i++) {
      const file = join(folder, `${i}`)
      const got = openSync(file, 'w')
      opened.push(got)
      if (got === fd) return { file, opened }
    }
    throw new Error('nobody got it')
  }

  const isOpen = (fd: number): boolean => {
    try {
      fstatSync(fd)
      return true
    } catch {
      return false
    }
  }

  it.each([
    ['is destroyed', (socket: Socket) => void socket.destroy()],
    ['fails', (socket: Socket) => void socket.destroy(new Error('broken'))],
    ['is reset', (socket: Socket) => void socket.resetAndDestroy()],
  ])('isn’t written to by a line whose socket %s, not even in the same moment', async (_how, end) => {
    const line = new Line(near, lineOptions(), () => undefined)
    line.write([Buffer.from('a')])
    const fd = descriptorOf(near, () => undefined)
    end(near)
    await until('it is closed', () => near.closed)
    const { file, opened } = takeOver(fd)
    line.write([Buffer.from('b')])
    line.control(Buffer.from('c'))
    for (const each of opened) closeSync(each)
    expect(readFileSync(file, 'utf8')).toBe('')
  })

  it('is given up before the system can give it to somebody else', () => {
    let open = true
    const fd = descriptorOf(near, () => {
      open = false
      // It is this socket's still.
      expect(writeNow(fd, Buffer.from('a'))).toBe(1)
    })
    near.destroy()
    expect(open).toBe(false)
  })

  it('isn’t written to by a line whose socket was given to another process', async () => {
    const line = new Line(near, lineOptions(), () => undefined)
    line.write([Buffer.from('a')])
    const fd = descriptorOf(near, () => undefined)
    const destroyed = vi.spyOn(near, '_destroy')
    const takes = 'process.on("message", () => undefined)'
    const other = spawn(process.execPath, ['-e', takes], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    onTestFinished(() => void other.kill())
    other.send('yours', near)
    await until('it is closed', () => !isOpen(fd))
    expect(destroyed).not.toHaveBeenCalled()
    const { file, opened } = takeOver(fd)
    line.write([Buffer.from('b')])
    line.control(Buffer.from('c'))
    for (const each of opened) closeSync(each)
    expect(readFileSync(file, 'utf8')).toBe('')
  })

  it('is given up when both sides have ended', async () => {
    let open = true
    descriptorOf(near, () => {
      open = false
    })
    far.resume().end()
    near.resume().end()
    await until('it is closed', () => near.destroyed)
    expect(open).toBe(false)
  })
})

describe('a descriptor', () => {
  it('is only taken from a plain socket that is open', () => {
    class Encrypted extends Socket {}
    for (const stream of [new PassThrough(), new Duplex(), new Socket()]) {
      expect(descriptorOf(stream, () => undefined)).toBe(NO_DESCRIPTOR)
    }
    expect(descriptorOf(near, () => undefined)).toBeGreaterThan(2)
    Object.setPrototypeOf(near, Encrypted.prototype)
    expect(descriptorOf(near, () => undefined)).toBe(NO_DESCRIPTOR)
    Object.setPrototypeOf(near, Socket.prototype)
    near.destroy()
    expect(descriptorOf(near, () => undefined)).toBe(NO_DESCRIPTOR)
  })

  it('takes nothing when it is backed up, or closed', () => {
    const fd = descriptorOf(near, () => undefined)
    const piece = Buffer.alloc(MIB)
    let taken = 0
    for (let all = piece.length; all === piece.length; taken += all) all = writeNow(fd, piece)
    expect(taken).toBeGreaterThan(0)
    expect(writeNow(fd, piece)).toBe(0)
    expect(writeNow(2 ** 30, Buffer.from('a'))).toBe(0)
  })
})
