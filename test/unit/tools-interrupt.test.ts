import { expect, it } from 'vitest'
import type { Io } from '../../server/cli/context.js'
import { interruptible } from '../../server/cli/remote.js'

const fakeIo = () => {
  const listeners = new Set<() => void>()
  const exits: number[] = []
  const io: Io = {
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    env: {},
    readInput: async () => new Uint8Array(),
    onSignal: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    exit: (code) => void exits.push(code),
  }
  return { io, listeners, exits, signal: () => listeners.forEach((listener) => void listener()) }
}

it('the first signal asks long work to stop, the second ends the process', async () => {
  const { io, signal, exits, listeners } = fakeIo()
  const work = interruptible(io, async (stop) => {
    signal()
    expect(stop.aborted).toBe(true)
    expect(exits).toEqual([])
    signal()
    expect(exits).toEqual([1])
    stop.throwIfAborted()
  })
  await expect(work).rejects.toThrow('stopped before the end')
  expect(listeners.size).toBe(0)
})

it('work that is done leaves no listener', async () => {
  const { io, listeners } = fakeIo()
  expect(await interruptible(io, async () => 7)).toBe(7)
  expect(listeners.size).toBe(0)
})
