import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { DocumentIndex } from '../../server/update/document-index.js'
import { scanUpdate } from '../../server/update/scan.js'
import { Splicer, splice } from '../../server/update/splice.js'
import { coversStateVector, decodeStateVector } from '../../server/update/state-vector.js'
import { below, contents, pick, randomSession, replica, seeded, shuffled } from '../support/random-edits.js'

const FIRST_SEED = Number(process.env.INKWIRE_SEED ?? 1)
const SEEDS = Array.from({ length: Number(process.env.INKWIRE_ROUNDS ?? 100) }, (_, i) => FIRST_SEED + i)

/** Repeat one with INKWIRE_SEED=n INKWIRE_ROUNDS=1 npx vitest run test/fuzz/update-splice.test.ts */
describe('splicing and diffing random histories', () => {
  it.each(SEEDS)('seed %i', (seed) => {
    const random = seeded(seed)
    const { docs, updates } = randomSession(seed, { edits: 30 + below(random, 60) })
    const doc = pick(random, docs)

    // As they come, in another order, some twice, some merged by Yjs, some as a reconnecting client sends them.
    const messages = shuffled(random, [
      ...updates,
      ...updates.filter(() => random() < 0.2),
      Y.mergeUpdates(updates.filter(() => random() < 0.3).concat(Uint8Array.of(0, 0), Uint8Array.of(0, 0))),
      Y.encodeStateAsUpdate(
        doc,
        Y.encodeStateVector(replica(updates.slice(0, below(random, updates.length)))),
      ),
    ])
    const scans = messages.map((message) => scanUpdate(message))
    const spliced = splice(scans)
    const scan = scanUpdate(spliced)
    const expected = replica(messages)
    expect(contents(replica([spliced]))).toEqual(contents(expected))

    // In two halves, put together afterwards.
    const half = below(random, scans.length)
    const first = new Splicer()
    for (const each of scans.slice(0, half)) first.add(each)
    const both = new Splicer().addAll(first)
    for (const each of scans.slice(half)) {
      first.add(each)
      both.add(each)
    }
    expect(contents(replica([both.build()]))).toEqual(contents(expected))

    const index = new DocumentIndex()
    for (const each of scans) {
      const news = index.news(each)
      expect(index.add(each)).toBe(news)
      expect(index.news(each)).toBe(false)
    }
    expect(index.encodeStateVector()).toEqual(Y.encodeStateVector(expected))
    expect(index.news(scan)).toBe(false)

    // From any state on the way.
    const held = updates.filter(() => random() < 0.7)
    const behind = replica(held)
    const vector = stateOf(behind)
    Y.applyUpdate(behind, splice([scan], { since: vector }))
    expect(contents(behind)).toEqual(contents(expected))

    // A part of the history, gaps and all.
    const part = new Splicer()
    const some = messages.filter(() => random() < 0.5)
    for (const message of some) part.add(scanUpdate(message))
    const early = replica([part.build()])
    const late = replica(some)
    expect(coversStateVector(stateOf(early), stateOf(late))).toBe(true)
    for (const message of messages) Y.applyUpdate(early, message)
    expect(contents(early)).toEqual(contents(expected))
  })
})

const stateOf = (doc: Y.Doc): Map<number, number> => decodeStateVector(Y.encodeStateVector(doc))
