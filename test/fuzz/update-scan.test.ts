import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { BadUpdateError } from '../../server/update/bad-update.js'
import { type Scan, scanUpdate } from '../../server/update/scan.js'
import { below, pick, randomSession, replica, seeded } from '../support/random-edits.js'

const FIRST_SEED = Number(process.env.INKWIRE_SEED ?? 1)
const SEEDS = Array.from({ length: Number(process.env.INKWIRE_ROUNDS ?? 15) }, (_, i) => FIRST_SEED + i)
const MUTANTS_PER_SEED = 250

/** Repeat one with INKWIRE_SEED=n INKWIRE_ROUNDS=1 npx vitest run test/fuzz/update-scan.test.ts */
describe('scanning what Yjs wrote', () => {
  it.each(SEEDS)('accepts every kind of real update, and reads what Yjs reads: seed %i', (seed) => {
    const random = seeded(seed)
    const { docs, updates } = randomSession(seed, { edits: 80 })
    const doc = pick(random, docs)
    const vector = Y.encodeStateVector(replica(updates.filter(() => random() < 0.5)))
    const merged = Y.mergeUpdates(
      updates.filter(() => random() < 0.5).concat(Uint8Array.of(0, 0), Uint8Array.of(0, 0)),
    )
    const pending = replica(updates.filter(() => random() < 0.5))
    for (const update of [
      ...updates,
      Y.encodeStateAsUpdate(doc),
      Y.encodeStateAsUpdate(doc, vector),
      Y.diffUpdate(Y.encodeStateAsUpdate(doc), vector),
      Y.encodeStateAsUpdate(pending),
      Y.encodeStateAsUpdate(pending, vector),
      merged,
      Y.diffUpdate(merged, vector),
      Y.obfuscateUpdate(merged),
    ]) {
      expect(summary(scanUpdate(update))).toEqual(yjsSummary(update))
    }
  })

  it.each(SEEDS)('refuses v2: seed %i', (seed) => {
    const { docs, updates } = randomSession(seed, { edits: 40 })
    for (const doc of docs) expect(reasonFor(Y.encodeStateAsUpdateV2(doc))).toBe('v2')
    for (const update of updates) expect(reasonFor(Y.convertUpdateFormatV1ToV2(update))).toBe('v2')
  })
})

describe('scanning damaged updates', () => {
  it.each(SEEDS)('accepts nothing that Yjs reads otherwise or chokes on: seed %i', (seed) => {
    const random = seeded(seed)
    const { docs, updates } = randomSession(seed, { edits: 40 })
    const sources = [...updates, ...docs.map((doc) => Y.encodeStateAsUpdate(doc)), Y.mergeUpdates(updates)]
    let accepted = 0
    for (let i = 0; i < MUTANTS_PER_SEED; i++) {
      const mutant = mutate(random, pick(random, sources), sources)
      let scan: Scan
      try {
        scan = scanUpdate(mutant)
      } catch (error) {
        if (!(error instanceof BadUpdateError)) throw error
        continue
      }
      accepted++
      expect(summary(scan), hex(mutant)).toEqual(yjsSummary(mutant))
      for (const held of [[], updates, updates.filter(() => random() < 0.5)]) {
        const doc = replica(held)
        // Structs that contradict held ones under the same ids are beyond what a scan can see.
        if (contradicts(scan, doc)) continue
        expect(() => Y.applyUpdate(doc, mutant), hex(mutant)).not.toThrow()
        expect(() => Y.encodeStateAsUpdate(doc), hex(mutant)).not.toThrow()
      }
    }
    // The mutations must leave enough to be accepted, or this test proves little.
    expect(accepted).toBeGreaterThan(MUTANTS_PER_SEED / 20)
  })
})

/** Whether it brings more under ids of which some are taken. Honest authors only repeat or go on. */
const contradicts = (scan: Scan, doc: Y.Doc): boolean => {
  const held = Y.decodeStateVector(Y.encodeStateVector(doc))
  return scan.blocks.some(({ client, clock, end }) => {
    const state = held.get(client) ?? 0
    return clock < state && state < end
  })
}

/** Runs of structs per client, number of structs, and deletions. */
const summary = (scan: Scan): unknown => ({
  blocks: scan.blocks.map(({ client, clock, end, structs }) => ({ client, clock, end, structs })),
  deletes: new Map(scan.deletes.map(({ client, ranges }) => [client, ranges])),
  structs: scan.structs,
})

/** The same by Yjs's own reader. */
const yjsSummary = (update: Uint8Array): unknown => {
  const { structs, ds } = Y.decodeUpdate(update)
  const blocks: { client: number; clock: number; end: number; structs: number }[] = []
  let skipped = true
  for (const struct of structs) {
    const { client, clock } = struct.id
    const last = blocks.at(-1)
    if (struct instanceof Y.Skip) {
      skipped = true
      continue
    }
    if (!skipped && last?.client === client && last.end === clock) {
      last.end += struct.length
      last.structs++
    } else blocks.push({ client, clock, end: clock + struct.length, structs: 1 })
    skipped = false
  }
  const deletes = new Map<number, number[]>()
  for (const [client, items] of ds.clients) {
    const ranges: number[] = []
    for (const { clock, len } of items) {
      if (ranges.at(-1) === clock) ranges[ranges.length - 1] = clock + len
      else ranges.push(clock, clock + len)
    }
    deletes.set(client, ranges)
  }
  return { blocks, deletes, structs: structs.filter((struct) => !(struct instanceof Y.Skip)).length }
}

const reasonFor = (update: Uint8Array): string => {
  try {
    scanUpdate(update)
  } catch (error) {
    if (error instanceof BadUpdateError) return error.reason
    throw error
  }
  return 'accepted'
}

/** Changes, drops, doubles or brings in a few bytes. */
const mutate = (random: () => number, source: Uint8Array, others: readonly Uint8Array[]): Uint8Array => {
  let bytes = [...source]
  const times = 1 + below(random, 3)
  for (let i = 0; i < times; i++) {
    const at = below(random, bytes.length)
    switch (below(random, 8)) {
      case 0:
      case 1:
        bytes[at] = below(random, 256)
        break
      case 2:
      case 3:
        bytes[at] = ((bytes[at] ?? 0) + pick(random, [1, -1, 2, -2])) & 0xff
        break
      case 4:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8))
        break
      case 5:
        bytes.splice(at, 1 + below(random, 3))
        break
      case 6:
        bytes.splice(at, 0, ...bytes.slice(at, at + 1 + below(random, 12)))
        break
      default: {
        const other = pick(random, others)
        const from = below(random, other.length)
        bytes.splice(at, below(random, 8), ...other.subarray(from, from + below(random, 20)))
      }
    }
    if (bytes.length === 0) bytes = [0]
  }
  return Uint8Array.from(bytes)
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
