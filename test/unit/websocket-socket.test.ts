/** A WebSocket of the server's: what it reads and says, and all the ways in which it ends. */
import { describe, expect, it, vi } from 'vitest'
import {
  closed,
  closing,
  controlled,
  gone,
  open,
  said,
  settled,
  withFakeTimeouts,
} from '../support/server-socket.js'
import { CLOSE, frameOf, PING, PONG, TEXT } from '../support/wire.js'

/** What a client has to answer a close frame, ms. */
const CLOSE_TIMEOUT_MS = 3000

withFakeTimeouts()

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

  it('in the middle of a message that goes out in pieces: no close frame, which would be a part of it', async () => {
    const messages = { 'a close frame': closing(1000), 'a violation': frameOf('b', { rsv: 1 }) }
    for (const [what, arriving] of Object.entries(messages)) {
      const opened = open()
      const { socket, wire } = opened
      socket.stick()
      wire.line.stream([[Buffer.alloc(2 ** 17, 1)], [Buffer.alloc(4, 2)]])
      await settled()
      socket.arrive(arriving)
      socket.unstick()
      await settled()
      expect(socket.sent === '01'.repeat(2 ** 17), what).toBe(true)
      expect([socket.writableEnded, wire.open], what).toEqual([true, false])
      socket.finish()
      await settled()
      gone(opened)
    }
  })

  it('before the first piece of a message, or behind its last one: with a close frame', async () => {
    const before = open()
    before.wire.line.stream([[Uint8Array.of(1)]])
    before.socket.arrive(closing(1000))
    await settled()
    expect(before.socket.sent).toBe(closed(1000))
    before.socket.finish()
    const behind = open()
    behind.wire.line.stream([[Uint8Array.of(1)], [Uint8Array.of(2)]])
    await settled()
    behind.socket.arrive(closing(1000))
    await settled()
    expect(behind.socket.sent).toBe(`0102${closed(1000)}`)
    behind.socket.finish()
    await settled()
    gone(before)
    gone(behind)
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
