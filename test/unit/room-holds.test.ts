import { describe, expect, it } from 'vitest'
import { Content } from '../../server/room/content.js'
import { readHolds } from '../../server/room/holds.js'
import { scanUpdate } from '../../server/update/scan.js'
import { decodeStateVector } from '../../server/update/state-vector.js'
import { type ForgedAuthor, forge, forgeOfMany } from '../support/forge.js'
import { framesOf, messagesIn } from '../support/frames.js'

const many = (clock: number): ForgedAuthor[] =>
  Array.from({ length: 1500 }, (_, i) => ({ client: 3000 - i, clock, structs: [{ gc: 1 }] }))

/** A document of many clients in a snapshot, with an edit since. */
const documentOf = (authors: readonly ForgedAuthor[]): Content => {
  const content = new Content({
    snapshot: { seq: 1, update: forgeOfMany(authors, [[2000, 0, 1]]) },
    tail: [],
  })
  const update = forge({ client: 1600, clock: 1, structs: [{ gc: 1 }], deletes: [[1600, 0, 1]] })
  content.append(update, scanUpdate(update))
  return content
}

/** The updates that it is told. */
const told = (answer: ReturnType<Content['answer']>): readonly Uint8Array[] =>
  messagesIn(framesOf(answer ?? [])).flatMap((message) => ('update' in message ? [message.update] : []))

describe('who holds all that a document of many clients has', () => {
  it.each([
    ['without gaps', many(0)],
    ['with some, in the snapshot', [{ client: 9000, clock: 3, structs: [{ gc: 2 }] }, ...many(0)]],
  ])('is told what it is told whose state vector is read: %s', (_name, authors) => {
    const content = documentOf(authors)
    const gap = forge({ client: 9001, clock: 5, structs: [{ gc: 1 }] })
    content.append(gap, scanUpdate(gap))
    const own = content.index.encodeStateVector()
    const holds = readHolds(content, own)
    const answer = told(holds.answer())
    expect(answer).toEqual(told(content.answer(decodeStateVector(own), own)))
    expect(scanUpdate(answer[0] as Uint8Array).deletes.map(({ client }) => client)).toEqual([2000, 1600])
    expect(holds.ahead.size).toBe(0)
    // And it resumes from where it was, as any other.
    expect(told(content.since(2, holds.clocks))).toEqual(told(content.since(2, decodeStateVector(own))))
  })

  it('is nobody who lacks something, or has more', () => {
    const content = documentOf(many(0))
    const before = content.index.encodeStateVector()
    const update = forge({ client: 1700, clock: 1, structs: [{ gc: 1 }] })
    content.append(update, scanUpdate(update))
    expect(scanUpdate(told(readHolds(content, before).answer())[0] as Uint8Array).structs).toBe(1)
    const ahead = documentOf(many(0))
    ahead.append(update, scanUpdate(update))
    expect(readHolds(documentOf(many(0)), ahead.index.encodeStateVector()).ahead.get(1700)).toBe(2)
  })

  it('X3: who lacks what came before its mark, on a disk that lost it, isn’t resumed from there', () => {
    const content = documentOf(many(0))
    const before = documentOf(many(0)).index.stateVector().set(1600, 1)
    expect(content.since(1, before)).not.toBe(null)
    expect(content.since(1, before.set(1601, 0))).toBe(null)
    expect(content.since(2, before.set(1601, 1))).toBe(null)
  })

  it('is not known to need no snapshot when that has gaps and isn’t here', () => {
    const content = documentOf([{ client: 9000, clock: 3, structs: [{ gc: 2 }] }, ...many(0)])
    content.drop()
    expect(readHolds(content, content.index.encodeStateVector()).answer()).toBe(null)
    const whole = documentOf(many(0))
    whole.drop()
    expect(readHolds(whole, whole.index.encodeStateVector()).answer()).not.toBe(null)
  })
})
