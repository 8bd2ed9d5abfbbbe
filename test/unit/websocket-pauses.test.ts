/** A WebSocket of the server's that is paused, or whose turn to read has not come: what it reads then, and when. */
import { describe, expect, it } from 'vitest'
import {
  closed,
  closing,
  gone,
  type HeldSocket,
  type Opened,
  open,
  said,
  settled,
  withFakeTimeouts,
} from '../support/server-socket.js'
import { frameOf } from '../support/wire.js'

withFakeTimeouts()

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

  const ends: [how: string, end: (socket: HeldSocket) => void][] = [
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
