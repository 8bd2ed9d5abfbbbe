import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createSlowCommits } from '../../server/session/slow-commits.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const author = () => ({ sendAck: vi.fn<() => void>() })

it('X4: an author whose update waits for the disk longer than usual is told once that it has arrived', () => {
  const slow = createSlowCommits(100)
  const ada = author()
  slow.watch(ada)
  slow.watch(ada)
  vi.advanceTimersByTime(99)
  expect(ada.sendAck).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1000)
  expect(ada.sendAck).toHaveBeenCalledOnce()
  slow.dispose()
})

it('who has left is told nothing, and nobody is after the end', () => {
  const slow = createSlowCommits(100)
  const [ada, bob] = [author(), author()]
  slow.watch(ada)
  slow.watch(bob)
  slow.forget(ada)
  vi.advanceTimersByTime(100)
  expect(ada.sendAck).not.toHaveBeenCalled()
  expect(bob.sendAck).toHaveBeenCalledOnce()
  slow.watch(ada)
  slow.dispose()
  vi.advanceTimersByTime(1000)
  expect(ada.sendAck).not.toHaveBeenCalled()
})
