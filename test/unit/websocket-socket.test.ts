import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServerSocket } from '../../server/websocket/server-socket.js'
import { CLOSE, type FrameOptions, frameOf, PING, PONG, TEXT } from '../support/wire.js'

/** What a client has to answer a close frame, ms. */
const CLOSE_TIMEOUT_MS = 3000

/** A socket of which a test holds the other end. */
class Socket extends Duplex {
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

/** What is written of it, and what it says. */
interface Opened {
  readonly socket: Socket
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

const open = (head: Uint8Array = Buffer.of(), { onMessage }: Heard = {}): Opened => {
  const socket = new Socket()
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
const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate)
}

const controlled = (opcode: number, content: string | Uint8Array, options: FrameOptions = {}): Buffer =>
  frameOf(content, { ...options, opcode })
const closing = (code: number, reason = ''): Buffer =>
  controlled(CLOSE, Buffer.concat([Uint8Array.of(code >> 8, code & 255), Buffer.from(reason)]))

/** A close frame of the server's. */
const closed = (code: number, reason = ''): string => {
  const length = 2 + Buffer.byteLength(reason)
  return Buffer.concat([Uint8Array.of(0x88, length, code >> 8, code & 255), Buffer.from(reason)]).toString(
    'hex',
  )
}

/** Only what was said, not how many bytes came. */
const said = ({ heard }: Opened): string[] => heard.filter((each) => !each.endsWith(' bytes'))

/** It is gone: it was told once, and it has left nothing behind. */
const gone = (opened: Opened): void => {
  const { socket, heard } = opened
  expect(heard.filter((each) => each.startsWith('ended')).length).toBe(1)
  expect(heard.at(-1)).toMatch(/^ended/)
  expect(socket.destroyed).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
  for (const event of ['data', 'drain', 'end', 'close']) expect(socket.listenerCount(event)).toBe(0)
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('a WebSocket', () => {
  it('reads what came together with the handshake first', async () => {
    const opened = open(frameOf('a').subarray(0, 3))
    opened.socket.arrive(Buffer.of())
    expect(opened.heard).toEqual([])
    await settled()
    expect(opened.heard).toEqual(['3 bytes'])
    const whole = open(Buffer.concat([frameOf('a'), frameOf('b', { opcode: TEXT })]))
    whole.socket.arrive(frameOf('c'))
    await settled()
    expect(said(whole)).toEqual(['a', 'text b', 'c'])
  })

  it('says how many bytes came behind the messages in them', async () => {
    const opened = open()
    const chunk = Buffer.concat([frameOf('a'), frameOf('b')])
    opened.socket.arrive(chunk, frameOf('c').subarray(0, 4))
    await settled()
    expect(opened.heard).toEqual(['a', 'b', `${chunk.length} bytes`, '4 bytes'])
  })

  it('pings and pongs', async () => {
    const { socket, wire } = open()
    wire.ping()
    socket.arrive(controlled(PING, 'abc'), controlled(PONG, 'x'))
    await settled()
    expect(socket.sent).toBe('8900' + '8a03616263')
  })

  it('tells when what waited has gone out', async () => {
    const opened = open()
    opened.socket.stick()
    opened.socket.write(Buffer.alloc(2 ** 20))
    await settled()
    expect(said(opened)).toEqual([])
    opened.socket.unstick()
    await settled()
    expect(said(opened)).toEqual(['drained'])
  })
})

describe('RFC 6455 §7: the end', () => {
  it('begun by the peer: its code comes back, then the server closes', async () => {
    const opened = open()
    const { socket, wire } = opened
    socket.arrive(Buffer.concat([frameOf('a'), closing(1001, 'bye')]))
    await settled()
    expect(said(opened)).toEqual(['a'])
    expect([socket.sent, socket.writableEnded, wire.open]).toEqual([closed(1001, 'bye'), true, false])
    socket.finish()
    await settled()
    expect(said(opened)).toEqual(['a', 'ended 1001'])
    gone(opened)
  })

  it('begun by the peer without a code: the answer has none, the code is 1005', async () => {
    const opened = open()
    opened.socket.arrive(controlled(CLOSE, ''))
    opened.socket.finish()
    await settled()
    expect(opened.socket.sent).toBe('8800')
    expect(said(opened)).toEqual(['ended 1005'])
    gone(opened)
  })

  it('begun by us: the answer is waited for, and messages until then are read', async () => {
    const opened = open()
    const { socket, wire } = opened
    wire.close(4404, 'no')
    expect(wire.open).toBe(false)
    socket.arrive(frameOf('a'))
    await settled()
    expect([socket.sent, socket.writableEnded]).toEqual([closed(4404, 'no'), false])
    socket.arrive(closing(4404))
    await settled()
    expect([socket.sent, socket.writableEnded]).toEqual([closed(4404, 'no'), true])
    socket.finish()
    await settled()
    expect(said(opened)).toEqual(['a', 'ended 4404'])
    gone(opened)
  })

  it('is begun once', async () => {
    const opened = open()
    opened.wire.close(4001, '')
    opened.wire.close(4002, '')
    await settled()
    expect(opened.socket.sent).toBe(closed(4001))
    opened.wire.terminate()
    await settled()
    gone(opened)
  })

  it('a reason that is too long is cut between characters', async () => {
    const { wire, socket } = open()
    wire.close(4000, `x${'é'.repeat(100)}`)
    expect(socket.sent).toBe(closed(4000, `x${'é'.repeat(61)}`))
    wire.terminate()
    await settled()
  })

  it.each(['the peer', 'us'])('begun by %s: a peer that goes no further is cut off', async (who) => {
    const opened = open()
    if (who === 'us') opened.wire.close(4000, '')
    else opened.socket.arrive(closing(1000))
    await settled()
    vi.advanceTimersByTime(CLOSE_TIMEOUT_MS - 1)
    await settled()
    expect([opened.socket.destroyed, said(opened)]).toEqual([false, []])
    vi.advanceTimersByTime(1)
    await settled()
    expect(said(opened)).toEqual([who === 'us' ? 'ended 1006' : 'ended 1000'])
    gone(opened)
  })

  it('nothing behind a close frame is read, nor kept', async () => {
    const opened = open()
    opened.socket.arrive(Buffer.concat([closing(1000), frameOf('a')]), frameOf('b'))
    await settled()
    opened.schedule.free = false
    for (let i = 0; i < 100; i++) opened.socket.arrive(frameOf(`${i}`), controlled(PING, ''))
    await settled()
    expect([opened.socket.readableLength, opened.line.length]).toEqual([0, 0])
    opened.schedule.free = true
    opened.socket.finish()
    await settled()
    expect(said(opened)).toEqual(['ended 1000'])
    gone(opened)
  })

  it('nothing goes out behind a close frame', async () => {
    const opened = open()
    opened.wire.close(4000, '')
    opened.wire.ping()
    opened.socket.arrive(controlled(PING, 'x'))
    await settled()
    expect(opened.socket.sent).toBe(closed(4000))
    opened.wire.terminate()
    await settled()
    gone(opened)
  })

  it('without a close frame: 1006, what came before is read, and nothing is written any more', async () => {
    const opened = open()
    opened.socket.stick()
    opened.socket.write('out')
    opened.socket.write(' and more')
    opened.socket.arrive(frameOf('a'), frameOf('b').subarray(0, 5))
    opened.socket.finish()
    await settled()
    expect([said(opened), opened.wire.open]).toEqual([['a'], false])
    opened.wire.ping()
    opened.wire.close(4000, '')
    // What was on its way goes out.
    opened.socket.unstick()
    await settled()
    expect(opened.socket.sent).toBe(Buffer.from('out and more').toString('hex'))
    expect(said(opened)).toEqual(['a', 'ended 1006'])
    gone(opened)
  })

  it('without a close frame by one that takes nothing: it is cut off', async () => {
    const opened = open()
    opened.socket.stick()
    opened.socket.write('out')
    opened.socket.finish()
    await settled()
    expect(said(opened)).toEqual([])
    vi.advanceTimersByTime(CLOSE_TIMEOUT_MS)
    await settled()
    expect(said(opened)).toEqual(['ended 1006'])
    gone(opened)
  })

  it('by a violation: it is told, closed with the code, and nothing more is read', async () => {
    const opened = open()
    opened.socket.arrive(Buffer.concat([frameOf('a'), frameOf('b', { rsv: 1 }), frameOf('c')]), closing(1000))
    await settled()
    expect(said(opened)).toEqual(['a', 'failed 1002'])
    expect([opened.socket.sent, opened.socket.writableEnded, opened.wire.open]).toEqual([
      closed(1002),
      true,
      false,
    ])
    opened.socket.finish()
    await settled()
    expect(said(opened)).toEqual(['a', 'failed 1002', 'ended 1006'])
    gone(opened)
  })

  it('by an error of whoever hears a message: nothing is read out of step', async () => {
    const opened = open(undefined, {
      onMessage: () => {
        throw new Error('broken')
      },
    })
    const chunk = Buffer.concat([frameOf('a'), frameOf('b')])
    opened.wire.pause()
    opened.socket.arrive(frameOf('c'))
    expect(() => opened.socket.emit('data', chunk)).toThrow('broken')
    expect([opened.schedule.begun, opened.schedule.done]).toEqual([1, 1])
    await settled()
    expect(said(opened)).toEqual(['a', 'ended 1006'])
    gone(opened)
  })

  it('when it is over, nothing can be done with it', async () => {
    const opened = open()
    opened.wire.terminate()
    expect(opened.wire.open).toBe(false)
    opened.wire.close(4000, '')
    await settled()
    gone(opened)
    opened.wire.close(4000, '')
    opened.wire.ping()
    opened.wire.pause()
    opened.wire.resume()
    opened.wire.terminate()
    await settled()
    expect(opened.socket.sent).toBe('')
    gone(opened)
  })
})

describe('a WebSocket that is paused', () => {
  it('by a message before a close frame, it still hears the end', async () => {
    const opened = open(undefined, { onMessage: (_text, wire) => wire.pause() })
    opened.socket.arrive(Buffer.concat([frameOf('a'), closing(1000)]), frameOf('b'))
    opened.socket.finish()
    await settled()
    expect(said(opened)).toEqual(['a', 'ended 1000'])
    gone(opened)
  })

  it('reads nothing more until it is resumed', async () => {
    const opened = open()
    opened.wire.pause()
    opened.socket.arrive(frameOf('a'), frameOf('b'))
    await settled()
    expect([opened.wire.paused, opened.heard]).toEqual([true, []])
    opened.wire.resume()
    await settled()
    expect([opened.wire.paused, said(opened)]).toEqual([false, ['a', 'b']])
  })

  const ends: [how: string, end: (socket: Socket) => void][] = [
    ['it is reset', (socket) => socket.reset()],
    ['it is cut off by us', (socket) => socket.destroy()],
  ]
  it.each(ends)('all that had arrived is read once when %s', async (_how, end) => {
    const opened = open()
    opened.wire.pause()
    opened.socket.arrive(frameOf('a'), frameOf('b'), Buffer.concat([frameOf('c'), closing(1001)]))
    await settled()
    end(opened.socket)
    await settled()
    expect(said(opened)).toEqual(['a', 'b', 'c', 'ended 1001'])
    gone(opened)
  })

  it.each(ends)('and when %s right after it was resumed', async (_how, end) => {
    const opened = open()
    opened.wire.pause()
    opened.socket.arrive(frameOf('a'), frameOf('b'))
    await settled()
    opened.wire.resume()
    end(opened.socket)
    await settled()
    expect(said(opened)).toEqual(['a', 'b', 'ended 1006'])
    gone(opened)
  })

  it('and when it is resumed between a reset and its end', async () => {
    const opened = open()
    opened.wire.pause()
    opened.socket.arrive(frameOf('a'), frameOf('b'))
    await settled()
    opened.socket.reset()
    await new Promise<void>((resolve) => opened.socket.once('error', () => resolve()))
    opened.wire.resume()
    await settled()
    expect(said(opened)).toEqual(['a', 'b', 'ended 1006'])
    gone(opened)
  })

  it('what breaks the protocol is told also then', async () => {
    const opened = open()
    opened.wire.pause()
    opened.socket.arrive(frameOf('a'), frameOf('', { masked: false }), frameOf('b'))
    opened.socket.reset()
    await settled()
    expect(said(opened)).toEqual(['a', 'failed 1002', 'ended 1006'])
    gone(opened)
  })

  it('an error of whoever hears it then doesn’t keep the end from being told', async () => {
    const opened = open(undefined, {
      onMessage: () => {
        throw new Error('broken')
      },
    })
    const { socket } = opened
    opened.wire.pause()
    socket.arrive(frameOf('a'))
    // Node would emit it, and nobody could catch.
    socket._destroy = (_error, done) => done(null)
    socket.destroy()
    expect(() => socket.emit('close')).toThrow('broken')
    await settled()
    expect(said(opened)).toEqual(['a', 'ended 1006'])
    gone(opened)
  })
})

describe('a WebSocket whose turn has not come', () => {
  const waiting = async (...frames: Uint8Array[]): Promise<Opened> => {
    const opened = open()
    opened.schedule.free = false
    opened.socket.arrive(...frames)
    await settled()
    return opened
  }
  const takeTurns = ({ line }: Opened): void => {
    for (const task of line.splice(0)) task()
  }

  it('says when it is done with what it may read at once', async () => {
    const { socket, schedule } = open()
    socket.arrive(frameOf('a'), frameOf('b'))
    await settled()
    expect(schedule).toEqual({ free: true, begun: 2, done: 2 })
  })

  it('holds one piece back, takes no more from its socket, and stands in line once', async () => {
    const opened = await waiting(frameOf('a'), frameOf('b'))
    expect([opened.heard, opened.line.length, opened.socket.isPaused()]).toEqual([[], 1, true])
    expect(opened.socket.readableLength).toBe(frameOf('b').length)
    expect([opened.wire.paused, opened.schedule.done]).toEqual([true, 0])
  })

  it('reads in order, a piece in a turn', async () => {
    const opened = await waiting(frameOf('a'), frameOf('b'))
    takeTurns(opened)
    expect(said(opened)).toEqual(['a'])
    await settled()
    expect([said(opened), opened.line.length]).toEqual([['a'], 1])
    takeTurns(opened)
    opened.schedule.free = true
    opened.socket.arrive(frameOf('c'))
    await settled()
    expect(said(opened)).toEqual(['a', 'b', 'c'])
    expect(opened.wire.paused).toBe(false)
  })

  it('is not hurried by being resumed', async () => {
    const opened = await waiting(frameOf('a'), frameOf('b'))
    opened.schedule.free = true
    opened.wire.pause()
    opened.wire.resume()
    await settled()
    expect([said(opened), opened.socket.isPaused()]).toEqual([[], true])
    takeTurns(opened)
    await settled()
    expect(said(opened)).toEqual(['a', 'b'])
  })

  it('paused meanwhile, it reads what waits and no more', async () => {
    const opened = await waiting(frameOf('a'), frameOf('b'))
    opened.wire.pause()
    takeTurns(opened)
    await settled()
    expect([said(opened), opened.socket.isPaused()]).toEqual([['a'], true])
    opened.schedule.free = true
    opened.wire.resume()
    await settled()
    expect(said(opened)).toEqual(['a', 'b'])
  })

  it('paused by what it reads, it reads no more', async () => {
    const opened = open(undefined, { onMessage: (_text, wire) => wire.pause() })
    opened.schedule.free = false
    opened.socket.arrive(frameOf('a'), frameOf('b'))
    await settled()
    takeTurns(opened)
    await settled()
    expect([said(opened), opened.socket.isPaused()]).toEqual([['a'], true])
  })

  it.each(['reset', 'destroy'] as const)(
    'what had arrived is read in order after a %s, in the turn of the first of it',
    async (end) => {
      const opened = await waiting(frameOf('a'), frameOf('b'), frameOf('c'), closing(1000), frameOf('d'))
      opened.socket[end]()
      await settled()
      expect([opened.heard, opened.line.length]).toEqual([[], 2])
      takeTurns(opened)
      await settled()
      expect(said(opened)).toEqual(['a', 'b', 'c', 'ended 1000'])
      gone(opened)
      expect(opened.line).toEqual([])
    },
  )

  it('its end waits for its turn: many leave at once', async () => {
    const opened = await waiting()
    opened.socket.finish()
    await settled()
    expect([opened.socket.writable, opened.line.length]).toEqual([true, 1])
    takeTurns(opened)
    await settled()
    expect([opened.socket.destroyed, opened.heard, opened.line.length]).toEqual([true, [], 1])
    takeTurns(opened)
    expect(said(opened)).toEqual(['ended 1006'])
    gone(opened)
  })

  it('what had arrived is read when its turn comes between a reset and its end', async () => {
    const opened = await waiting(frameOf('a'), frameOf('b'), frameOf('c'))
    opened.socket.reset()
    await new Promise<void>((resolve) => opened.socket.once('error', () => resolve()))
    takeTurns(opened)
    await settled()
    expect(said(opened)).toEqual(['a'])
    takeTurns(opened)
    expect(said(opened)).toEqual(['a', 'b', 'c', 'ended 1006'])
    gone(opened)
  })

  it('what had arrived is read also when the peer has closed its side', async () => {
    const opened = await waiting(frameOf('a'), frameOf('b'))
    opened.socket.finish()
    while (opened.line.length > 0) {
      takeTurns(opened)
      await settled()
    }
    expect(said(opened)).toEqual(['a', 'b', 'ended 1006'])
    gone(opened)
  })

  it('closes when a close frame has its turn', async () => {
    const opened = await waiting(closing(1000), frameOf('a'))
    takeTurns(opened)
    opened.socket.finish()
    await settled()
    takeTurns(opened)
    await settled()
    takeTurns(opened)
    expect([said(opened), opened.socket.sent]).toEqual([['ended 1000'], closed(1000)])
    gone(opened)
  })
})
