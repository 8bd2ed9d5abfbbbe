import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { Deliveries } from '../bench/deliveries.js'
import { updateOf } from '../bench/dialect.js'
import { eachFrame } from '../bench/frames.js'
import { eachInsertion } from '../bench/insertions.js'
import { Recording } from '../bench/recording.js'

const frame = (payload: Buffer): Buffer => {
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.of(0x82, length), payload])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = 0x82
  head[1] = length < 65_536 ? 126 : 127
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

/** Five letters, an update each. */
const typed = (): Uint8Array[] => {
  const doc = new Y.Doc()
  doc.clientID = 1000
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => void updates.push(update))
  for (const letter of 'hallo') doc.getText('text').insert(0, letter)
  return updates
}

const insertionsIn = (update: Uint8Array): string[] => {
  const found: string[] = []
  eachInsertion(updateOf(update), 0, (client, clock) => found.push(`${client}@${clock}`))
  return found
}

describe('what the load generator does for each delivery', () => {
  it('finds each frame once, wherever the bytes are cut', () => {
    const payloads = [0, 5, 125, 126, 300, 65_535, 65_536].map((length, i) => Buffer.alloc(length, i + 1))
    const bytes = Buffer.concat(payloads.map(frame))
    const cuts = [...Array(500).keys(), ...[1, 2, 3, 9, 10, 11, 65_535].map((less) => bytes.length - less)]
    for (const cut of cuts) {
      const found: Buffer[] = []
      const take = (_: number, from: Buffer, at: number, end: number) => found.push(from.subarray(at, end))
      const start = eachFrame(bytes.subarray(0, cut), take)
      expect(eachFrame(bytes.subarray(start), take)).toBe(bytes.length - start)
      expect(Buffer.concat(found.map(frame)).equals(bytes), `cut at ${cut}`).toBe(true)
    }
  })

  it('counts what updates insert, whether they come one by one or merged', () => {
    const updates = typed()
    const each = ['1000@0', '1000@1', '1000@2', '1000@3', '1000@4']
    expect(updates.flatMap(insertionsIn)).toEqual(each)
    expect(insertionsIn(Y.mergeUpdates(updates))).toEqual(each)
  })

  it('is complete when every reader has every update: one heard twice counts once, an unknown one not at all', () => {
    const deliveries = new Deliveries(2, 2)
    deliveries.sent(0)
    deliveries.sent(1)
    const readAt = performance.now() + 1000
    for (const [reader, update] of [
      [0, 2],
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      deliveries.heard(reader, update, readAt)
    }
    expect(deliveries.complete).toBe(false)
    deliveries.heard(1, 1, readAt + 5)
    deliveries.heard(1, 0, readAt + 9)
    expect(deliveries.complete).toBe(true)
    expect(deliveries.lastAt).toBe(readAt + 5)
    for (const latency of deliveries.latencies) expect(latency).toBeGreaterThanOrEqual(999)
  })

  it('keeps all that a reader heard, more than there was room for, too', () => {
    const recording = new Recording(4)
    for (const part of ['ab', 'cdefgh', '', 'ijklmnopqrstuvwxyz']) recording.add(Buffer.from(part))
    expect(recording.bytes.toString()).toBe('abcdefghijklmnopqrstuvwxyz')
  })
})
