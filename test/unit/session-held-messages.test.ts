import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HeldMessages } from '../../server/session/held-messages.js'

const [one, two, three] = [Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3)] as const

describe('HeldMessages (PROTOCOL S7)', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('keep what comes after the one that waits, and give all in order, once', () => {
    const held = new HeldMessages(5000, () => undefined)
    expect([held.any, held.keep(one)]).toEqual([false, false])
    held.start(one)
    expect([held.any, held.keep(two), held.keep(three)]).toEqual([true, true, true])
    expect(held.release()).toEqual([one, two, three])
    expect([held.any, held.keep(two), held.release()]).toEqual([false, false, []])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keep what comes before an answer, for as long as that takes', () => {
    const held = new HeldMessages(5000, () => undefined)
    expect(held.forAnswer).toBe(false)
    held.behindAnswer()
    expect([held.any, held.forAnswer, vi.getTimerCount()]).toEqual([true, true, 0])
    held.keep(one)
    expect(held.release()).toEqual([one])
    held.start(two)
    expect([held.any, held.forAnswer]).toEqual([true, false])
    held.dispose()
  })

  it('say when it has taken too long, unless it is over or nobody waits any more', () => {
    const tooLong = vi.fn()
    const held = new HeldMessages(5000, tooLong)
    held.start(one)
    vi.advanceTimersByTime(4999)
    held.release()
    held.start(one)
    vi.advanceTimersByTime(4999)
    expect(tooLong).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(tooLong).toHaveBeenCalledOnce()
    held.start(one)
    held.dispose()
    expect(vi.getTimerCount()).toBe(0)
  })
})
