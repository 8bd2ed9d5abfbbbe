import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Snapshot } from '../../server/journal/journal.js'
import { Content } from '../../server/room/content.js'
import { scanUpdate } from '../../server/update/scan.js'
import { compactUpdates } from '../../server/worker/compact.js'
import { framesOf, messagesIn } from '../support/frames.js'

/** One random edit by one of three authors; they hear of each other now and then. */
interface Step {
  readonly author: number
  readonly at: number
  readonly kind: 'insert' | 'delete' | 'map' | 'sync'
  readonly size: number
}

const steps = fc.array(
  fc.record({
    author: fc.nat(2),
    at: fc.nat(),
    kind: fc.constantFrom('insert', 'insert', 'delete', 'map', 'sync') as fc.Arbitrary<Step['kind']>,
    size: fc.integer({ min: 1, max: 700 }),
  }),
  { minLength: 1, maxLength: 60 },
)

const newDoc = (clientID: number): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = clientID
  return doc
}

const newDocWith = (clientID: number, text: string): Y.Doc => {
  const doc = newDoc(clientID)
  doc.getText('t').insert(0, text)
  return doc
}

/** Plays steps; `onUpdate` hears what the server would. Returns the authors' documents. */
const play = (
  script: readonly Step[],
  onUpdate: (update: Uint8Array, docs: readonly Y.Doc[]) => void,
): Y.Doc[] => {
  const docs = [newDoc(101), newDoc(202), newDoc(303)]
  for (const doc of docs)
    doc.on('update', (update: Uint8Array, origin) => origin !== 'sync' && onUpdate(update, docs))
  for (const { author, at, kind, size } of script) {
    const doc = docs[author] as Y.Doc
    const text = doc.getText('t')
    if (kind === 'insert') text.insert(at % (text.length + 1), 'x'.repeat(size))
    if (kind === 'delete' && text.length > 0) text.delete(at % text.length, 1)
    if (kind === 'map') doc.getMap('m').set(`k${at % 4}`, size)
    if (kind === 'sync') {
      const other = docs[(author + 1) % docs.length] as Y.Doc
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), 'sync')
    }
  }
  return docs
}

const apply = (doc: Y.Doc, frames: readonly Uint8Array[]): void => {
  const messages = messagesIn(frames)
  messages.forEach((message, i) => {
    if (message.type !== 'update' && message.type !== 'syncStep2') throw new Error(`a ${message.type}`)
    // W4: sync step 2 comes last, and once.
    expect(message.type === 'syncStep2').toBe(i === messages.length - 1)
    Y.applyUpdate(doc, message.update)
  })
}

const present = <T>(value: T | null): T => {
  if (value === null) throw new Error('it is not here')
  return value
}

const state = (doc: Y.Doc): unknown => [
  doc.getText('t').toString(),
  doc.getMap('m').toJSON(),
  [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(),
  doc.store.pendingStructs,
]

describe('Content', () => {
  it('W4: the answer to any state vector, at any time, across compactions, is what that client lacks', () => {
    fc.assert(
      fc.property(
        steps,
        fc.array(fc.nat(60), { maxLength: 3 }),
        fc.array(fc.nat(60), { maxLength: 3 }),
        fc.nat(60),
        (script, compactions, drops, leaveAt) => {
          const content = new Content({ snapshot: null, tail: [] })
          let stored: Snapshot | null = null
          // What was let go of is read again; whatever isn't here is given then.
          const have = <T>(make: () => T | null): T => {
            const made = make()
            if (made !== null) return made
            expect(content.complete).toBe(false)
            expect(stored && content.restore(stored)).toBe(true)
            return present(make())
          }
          const reference = new Y.Doc()
          const left = newDoc(404) // a reader who went away at some moment
          let count = 0
          const docs = play(script, (update) => {
            content.append(update, scanUpdate(update))
            Y.applyUpdate(reference, update)
            if (count === leaveAt) Y.applyUpdate(left, Y.encodeStateAsUpdate(reference))
            if (compactions.includes(count)) {
              const { update: snapshot } = compactUpdates(have(() => content.forCompaction()))
              stored = { seq: content.seq, update: snapshot }
              content.compacted(stored)
            }
            if (drops.includes(count)) content.drop()
            count++
          })
          for (const doc of [...docs, left, newDoc(505)]) {
            if (drops.includes(leaveAt)) content.drop()
            const holds = Y.encodeStateVector(doc)
            apply(doc, framesOf(have(() => content.answer(Y.decodeStateVector(holds), holds))))
            // Authors also have what they wrote, which the server has too: all end at the reference.
            expect(state(doc)).toEqual(state(reference))
          }
          expect(Y.decodeStateVector(content.index.encodeStateVector())).toEqual(
            Y.decodeStateVector(Y.encodeStateVector(reference)),
          )
        },
      ),
      { numRuns: 150 },
    )
  })

  it('a large document goes out as it lies there: update messages, then a small sync step 2', () => {
    const doc = newDoc(1)
    doc.getText('t').insert(0, 'y'.repeat(3 * 1024 * 1024))
    const snapshot = Y.encodeStateAsUpdate(doc)
    const content = new Content({ snapshot: { seq: 7, update: snapshot }, tail: [] })
    doc.on('update', (update: Uint8Array) => content.append(update, scanUpdate(update)))
    doc.getText('t').insert(5, 'more')
    doc.getText('t').delete(0, 3)
    const answer = present(content.everything())
    const large = answer.flatMap((each) => (each instanceof Uint8Array ? [] : each.parts))
    expect(
      large.some((part) => part.buffer === snapshot.buffer),
      'not copied',
    ).toBe(true)
    expect(content.everything()).toBe(answer)
    const joiner = newDoc(2)
    apply(joiner, framesOf(answer))
    expect(state(joiner)).toEqual(state(doc))
    doc.getText('t').insert(0, 'again')
    expect(content.everything()).not.toBe(answer)
  })

  it('a diff is made once for all who hold the same, and of a large document it isn’t copied', () => {
    const doc = newDoc(1)
    const text = doc.getText('t')
    text.insert(0, 'y'.repeat(1000))
    const held = Y.encodeStateVector(doc)
    const other = newDoc(2)
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    other.getText('t').insert(3, 'z'.repeat(2 * 1024 * 1024))
    const snapshot = Y.encodeStateAsUpdate(other)
    const content = new Content({ snapshot: { seq: 7, update: snapshot }, tail: [] })
    const ask = (holds: Uint8Array) => content.answer(Y.decodeStateVector(holds), holds)
    const answer = present(ask(held))
    // Compared here: what isn't the same, the test runner would compare deeply, for half a minute.
    const same = (one: unknown): boolean => one === answer
    expect(same(ask(held.slice()))).toBe(true)
    expect(same(ask(Uint8Array.of(1, 1, 3)))).toBe(false)
    const large = answer.flatMap((each) => (each instanceof Uint8Array ? [] : each.parts))
    expect(large.some((part) => part.buffer === snapshot.buffer && part.length > 2 ** 20)).toBe(true)
    expect(content.held, 'shared bytes count once').toBeLessThan(2.1 * 2 ** 20)

    const update = Y.encodeStateAsUpdate(newDocWith(3, 'more'))
    content.append(update, scanUpdate(update))
    expect(same(ask(held)), 'not after an edit').toBe(false)
    const behind = newDoc(4)
    Y.applyUpdate(behind, Y.encodeStateAsUpdate(doc))
    apply(behind, framesOf(present(ask(Y.encodeStateVector(behind)))))
    expect(behind.getText('t').length).toBe(1000 + 2 * 1024 * 1024 + 4)
  })

  it('diffs are kept for as many as come back, not for whoever asks for everything', () => {
    const snapshot = Y.encodeStateAsUpdate(newDocWith(1, 'x'.repeat(1000)))
    const content = new Content({ snapshot: { seq: 7, update: snapshot }, tail: [] })
    const ask = (clock: number) => content.answer(new Map([[1, clock]]), Uint8Array.of(1, 1, clock))
    const first = ask(1)
    for (let clock = 2; clock <= 16; clock++) ask(clock)
    expect(ask(1)).toBe(first)
    ask(17)
    expect(ask(1), 'it was of use lately').toBe(first)
    const { held } = content
    for (let clock = 20; clock < 120; clock++) ask(clock)
    expect(ask(1)).not.toBe(first)
    expect(content.held).toBeLessThanOrEqual(held + 200)
    content.drop()
    expect(content.held).toBe(0)
  })

  it('is the same after it was stored and loaded', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const content = new Content({ snapshot: null, tail: [] })
        play(script, (update) => content.append(update, scanUpdate(update)))
        const tail = [...content.tail.updates(1, content.seq)].map((update, i) => ({
          seq: i + 1,
          update,
          time: 0,
          author: '',
        }))
        const loaded = new Content({ snapshot: null, tail })
        expect(loaded.everything()).toEqual(content.everything())
      }),
      { numRuns: 30 },
    )
  })

  it('X3: one who lacks nothing up to a mark gets what came since, with its deletions only', () => {
    const doc = newDoc(1)
    const content = new Content({ snapshot: null, tail: [] })
    doc.on('update', (update: Uint8Array) => content.append(update, scanUpdate(update)))
    const text = doc.getText('t')
    for (let i = 0; i < 500; i++) {
      text.insert(0, 'ab')
      text.delete(i, 1)
    }
    const mark = content.seq
    const away = newDoc(2)
    apply(away, framesOf(present(content.everything())))
    const holds = Y.decodeStateVector(Y.encodeStateVector(away))
    text.insert(3, 'more')
    text.delete(0, 2)
    const answer = content.since(mark, holds)
    expect(Buffer.concat(framesOf(answer ?? [])).length).toBeLessThan(50)
    apply(away, framesOf(answer ?? []))
    expect(state(away)).toEqual(state(doc))
    expect(content.since(mark, holds), 'made once').toBe(answer)
    expect(
      framesOf(content.since(content.seq, Y.decodeStateVector(Y.encodeStateVector(doc))) ?? []).length,
    ).toBe(1)

    expect(content.since(content.seq + 1, holds), 'a mark from a future that was lost').toBeNull()
    expect(content.since(mark, new Map([[1, 3]])), 'numbers that were given out anew').toBeNull()
    const { update } = compactUpdates(present(content.forCompaction()))
    content.compacted({ seq: content.seq, update })
    expect(content.since(mark, holds), 'a compaction keeps the last updates').toEqual(answer)
    text.insert(0, 'z'.repeat(100_000))
    content.compacted({ seq: content.seq, update: Y.encodeStateAsUpdate(doc) })
    expect(content.since(mark, holds)).toBeNull()
  })
})
