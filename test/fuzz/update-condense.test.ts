import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { condense, condenseInSteps } from '../../server/update/condense.js'
import { DocumentIndex } from '../../server/update/document-index.js'
import { KNOWN_LIMITS } from '../../server/update/limits.js'
import { scanUpdate } from '../../server/update/scan.js'
import { splice } from '../../server/update/splice.js'
import { forge } from '../support/forge.js'
import { below, contents, pick, randomSession, replica, seeded, shuffled } from '../support/random-edits.js'

const FIRST_SEED = Number(process.env.INKWIRE_SEED ?? 1)
const SEEDS = Array.from({ length: Number(process.env.INKWIRE_ROUNDS ?? 100) }, (_, i) => FIRST_SEED + i)

/** Repeat one with INKWIRE_SEED=n INKWIRE_ROUNDS=1 npx vitest run test/fuzz/update-condense.test.ts */
describe('condensing random histories', () => {
  it.each(SEEDS)('seed %i', (seed) => {
    const random = seeded(seed)
    const { docs, updates } = randomSession(seed, { edits: 30 + below(random, 120) })
    // What comes later was in part written by who hadn't heard of what is condensed.
    const all = random() < 0.5 ? updates : shuffled(random, updates)
    const until = below(random, all.length + 1)
    const [early, late] = [all.slice(0, until), all.slice(until)]
    const whole = scanUpdate(splice(early.map((update) => scanUpdate(update))))
    const { update, structs } = condense(whole)
    const scan = scanUpdate(update)
    // In one update, as Yjs takes in more of what lies behind a gap then.
    const before = replica([whole.bytes])

    expect(contents(replica([update]))).toEqual(contents(before))
    expect(update.length).toBeLessThanOrEqual(whole.bytes.length + 16 * whole.deletes.length + 64)
    expect(structs).toBeGreaterThanOrEqual(scan.structs)
    expect(condense(scan).update).toEqual(update)

    // Nothing was added and nothing lost.
    const [index, condensed] = [new DocumentIndex(), new DocumentIndex()]
    index.add(whole)
    condensed.add(scan)
    expect(index.news(scan)).toBe(false)
    expect(condensed.news(whole)).toBe(false)

    // Who has some of it takes it in; who has it takes in the rest: as from what wasn't condensed. (Yjs forgets to look
    // again at what waits for a gap now and then.)
    const known = shuffled(random, early).filter(() => random() < 0.5)
    const rest = shuffled(random, [...late, ...early.filter(() => random() < 0.3)])
    for (const start of [[], known]) {
      const [doc, other] = [replica(start), replica(start)]
      apply(doc, [update])
      apply(other, [whole.bytes])
      expect(contents(doc)).toEqual(contents(other))
      apply(doc, rest)
      apply(other, rest)
      expect(contents(doc)).toEqual(contents(other))
    }
    const expected = contents(replica(all))

    // Condensed again with what came later, and given to one who edited all the time.
    const again = condense(scanUpdate(splice([scan, ...late.map((each) => scanUpdate(each))])))
    expect(contents(replica([again.update]))).toEqual(expected)
    const editor = pick(random, docs)
    // What Yjs itself deleted at the end of the session hasn't reached everybody.
    apply(editor, updates)
    const held = contents(editor)
    apply(editor, [again.update])
    expect(contents(editor)).toEqual(held)
  })
})

describe('condensing random histories of which much is deleted here and there', () => {
  it.each(SEEDS)('seed %i', (seed) => {
    const random = seeded(seed)
    const { updates } = randomSession(seed, { edits: 30 + below(random, 60) })
    const all = scanUpdate(splice(updates.map((update) => scanUpdate(update))))
    // Anywhere: in the middle of strings, of lists, of surrogate pairs.
    const deletes: [number, number, number][] = []
    for (const { client, clock, end } of all.blocks) {
      const longest = 1 + below(random, 5)
      for (let at = clock + below(random, 4); at < end; ) {
        const length = 1 + below(random, longest)
        deletes.push([client, at, Math.min(length, end - at)])
        at += length + 1 + below(random, longest)
      }
    }
    const whole = scanUpdate(splice([all, scanUpdate(forge({ deletes }))]))
    const { update, structs } = condense(whole)
    expect(contents(replica([update]))).toEqual(contents(replica([whole.bytes])))
    expect(scanUpdate(update).blocks.map(({ clock, end }) => [clock, end])).toEqual(
      whole.blocks.map(({ clock, end }) => [clock, end]),
    )
    expect(condense(scanUpdate(update)).update).toEqual(update)

    // The same in the smallest steps.
    const condensing = condenseInSteps(scanUpdate(whole.bytes, KNOWN_LIMITS), 1)
    let steps = 0
    let step = condensing.next()
    for (; !step.done; step = condensing.next()) steps++
    expect(step.value.update).toEqual(update)
    expect(steps).toBeGreaterThanOrEqual(structs)
  })
})

/** In one transaction of ours: after others' ones Yjs deletes formatting that it finds redundant. */
const apply = (doc: Y.Doc, updates: readonly Uint8Array[]): void =>
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update)
  })
