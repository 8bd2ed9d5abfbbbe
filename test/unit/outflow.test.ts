import { describe, expect, it } from 'vitest'
import { type Flowing, Outflow } from '../../server/websocket/outflow.js'

const MiB = 1024 * 1024

/** Somebody with so many bytes to send, who takes them all. */
class Sender implements Flowing {
  left: number
  turns: number[] = []
  constructor(
    bytes: number,
    readonly turn: () => number,
  ) {
    this.left = bytes
  }
  flow(bytes: number): { written: number; more: boolean } {
    const written = Math.min(bytes, this.left)
    this.left -= written
    this.turns.push(this.turn())
    return { written, more: this.left > 0 }
  }
}

const setup = () => {
  let task: (() => void) | null = null
  let turn = 0
  const outflow = new Outflow((next) => {
    expect(task, 'one task at a time').toBeNull()
    task = next
  })
  const sender = (bytes: number): Sender => {
    const one = new Sender(bytes, () => turn)
    outflow.add(one)
    return one
  }
  const next = (): boolean => {
    const due = task
    task = null
    turn++
    due?.()
    return due !== null
  }
  return { outflow, sender, next }
}

describe('Outflow', () => {
  it('sends a bounded part in each turn, everybody’s in turn', () => {
    const { sender, next } = setup()
    const senders = Array.from({ length: 20 }, () => sender(MiB))
    next()
    expect(senders.reduce((sum, { left }) => sum + left, 0)).toBe(18 * MiB)
    next()
    next()
    expect(Math.max(...senders.map(({ left }) => left)), 'nobody waits for all of another').toBeLessThan(MiB)
    let turns = 3
    while (next()) turns++
    expect(turns).toBe(10)
    expect(senders.every(({ left }) => left === 0)).toBe(true)
  })

  it('waits for one whose other end takes no more until it is added again, and forgets one that is gone', () => {
    const { outflow, sender, next } = setup()
    const [slow, gone] = [sender(MiB), sender(MiB)]
    slow.flow = () => ({ written: 0, more: false })
    outflow.delete(gone)
    next()
    expect(next()).toBe(false)
    expect(gone.left).toBe(MiB)
    outflow.add(slow)
    expect(next()).toBe(true)
  })
})
