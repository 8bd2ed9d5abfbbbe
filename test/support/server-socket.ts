import { Duplex } from 'node:stream'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { ServerSocket } from '../../server/websocket/server-socket.js'
import { lineOptions } from './line-options.js'
import { CLOSE, type FrameOptions, frameOf } from './wire.js'

/** A socket of which a test holds the other end. */
export class HeldSocket extends Duplex {
  /** What has gone out, in hex. */
  sent = ''
  /** What is taken of what goes out: all of it, or nothing for now. */
  #stuck: (() => void) | null = null
  #takes = true

  constructor() {
    // As node:net makes its sockets: half-open, and with a 'close' of their own.
    super({ allowHalfOpen: true, emitClose: false })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sent += chunk.toString('hex')
    if (this.#takes) done()
    else this.#stuck = done
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error)
    setImmediate(() => this.emit('close'))
  }

  stick(): void {
    this.#takes = false
  }

  unstick(): void {
    this.#takes = true
    this.#stuck?.()
  }

  arrive(...frames: Uint8Array[]): void {
    for (const frame of frames) this.push(Buffer.from(frame))
  }

  /** The other end has closed its side. */
  finish(): void {
    this.push(null)
  }

  reset(): void {
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  }
}

/** A WebSocket of the server's on a socket of the test's, and what it has said. */
export interface Opened {
  readonly socket: HeldSocket
  readonly wire: ServerSocket
  readonly heard: string[]
  /** What waits for its turn. */
  readonly line: (() => void)[]
  /** Whether something may be read at once. */
  readonly schedule: { free: boolean; begun: number; done: number }
}

interface Heard {
  readonly onMessage?: (text: string, wire: ServerSocket) => void
}

/** A WebSocket of the server's; `head` is what came together with the handshake. */
export const open = (head: Uint8Array = Buffer.of(), { onMessage }: Heard = {}): Opened => {
  const socket = new HeldSocket()
  const heard: string[] = []
  const line: (() => void)[] = []
  const schedule = { free: true, begun: 0, done: 0 }
  const wire = new ServerSocket(socket, head, {
    maxMessageBytes: 1000,
    reading: {
      begin: () => {
        if (schedule.free) schedule.begun++
        return schedule.free
      },
      done: () => void schedule.done++,
      later: (task) => void line.push(task),
    },
    writing: lineOptions(),
  })
  wire.start({
    message: (payload, isBinary) => {
      const content = Buffer.from(payload).toString()
      heard.push(isBinary ? content : `text ${content}`)
      onMessage?.(content, wire)
    },
    pinged: (payload) => {
      heard.push(`ping ${Buffer.from(payload).toString()}`)
      wire.pong(payload)
    },
    read: (bytes) => heard.push(`${bytes} bytes`),
    failed: (_error, code) => heard.push(`failed ${code}`),
    drained: () => heard.push('drained'),
    ended: (code) => heard.push(`ended ${code}`),
  })
  return { socket, wire, heard, line, schedule }
}

/** Everything that streams put off has been done. */
export const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate)
}

/** A control frame of the client's. */
export const controlled = (
  opcode: number,
  content: string | Uint8Array,
  options: FrameOptions = {},
): Buffer => frameOf(content, { ...options, opcode })

/** A close frame of the client's. */
export const closing = (code: number, reason = ''): Buffer =>
  controlled(CLOSE, Buffer.concat([Uint8Array.of(code >> 8, code & 255), Buffer.from(reason)]))

/** A close frame of the server's. */
export const closed = (code: number, reason = ''): string => {
  const length = 2 + Buffer.byteLength(reason)
  return Buffer.concat([Uint8Array.of(0x88, length, code >> 8, code & 255), Buffer.from(reason)]).toString(
    'hex',
  )
}

/** Only what was said, not how many bytes came. */
export const said = ({ heard }: Opened): string[] => heard.filter((each) => !each.endsWith(' bytes'))

/** It is gone: it was told once, and it has left nothing behind. */
export const gone = (opened: Opened): void => {
  const { socket, heard } = opened
  expect(heard.filter((each) => each.startsWith('ended')).length).toBe(1)
  expect(heard.at(-1)).toMatch(/^ended/)
  expect(socket.destroyed).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
  for (const event of ['data', 'drain', 'end', 'close']) expect(socket.listenerCount(event)).toBe(0)
}

/** For a file of tests with {@link open}: faked timeouts, and none left after a test. */
export const withFakeTimeouts = (): void => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
}
