import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { deliver } from '../../server/room/answer.js'
import { forgeOfMany } from '../support/forge.js'
import { messagesIn } from '../support/frames.js'
import { fuzz } from '../support/fuzz.js'
import { below, shuffled } from '../support/random-edits.js'
import { offered, setupRoom, taken } from '../support/room.js'

const text = { text: 'x' } as const
const idsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i)
/** A struct of each, at a clock. */
const structsOf = (ids: readonly number[], clock = 0): Uint8Array =>
  forgeOfMany(ids.map((client) => ({ client, clock, structs: [text] })))

/** What one who has nothing is told, as a document. */
const toldBy = ({ room, join }: ReturnType<typeof setupRoom>): Y.Doc => {
  const joiner = join(true)
  const answer = room.answer(joiner, Uint8Array.of(0))
  if (answer) deliver(joiner, answer)
  const doc = new Y.Doc()
  for (const message of messagesIn(joiner.frames)) {
    if (message.type === 'syncStep2' || message.type === 'update') Y.applyUpdate(doc, message.update)
  }
  return doc
}

describe('an update of many client ids', () => {
  it('is taken, known again, and given to others, as any other', async () => {
    await fuzz(5, (random) => {
      const setup = setupRoom()
      const { room, appended } = setup
      const author = setup.join(true)
      const expected = new Y.Doc()
      // Half of them don't fit into 31 bits, some not into 32.
      const ids = shuffled(random, [...new Set(idsFrom(0, 300).map(() => below(random, 2 ** 32 + 2 ** 28)))])
      const some = (): number[] => ids.filter(() => random() < 0.7)
      const steps = [structsOf(ids), structsOf(some(), 1), forgeOfMany([], deletesOf(some(), 0, 1))]
      steps.push(forgeOfMany([], deletesOf(some(), 0, 1)), forgeOfMany([], deletesOf(some(), 1, 1)))
      steps.push(forgeOfMany(some().map((client) => ({ client, structs: [text, text, text] }))))
      steps.forEach((update, i) => {
        room.receive(author, 2 * i + 1, update, offered)
        Y.applyUpdate(expected, update)
        const { length } = appended
        room.receive(author, 2 * i + 2, update, offered)
        expect(appended.length).toBe(length)
      })
      const doc = toldBy(setup)
      expect(Y.encodeStateVector(doc)).toEqual(room.stateVector())
      expect(Y.encodeStateAsUpdate(doc)).toEqual(Y.encodeStateAsUpdate(expected))
    })
  })

  it('S10: is refused when it brings more new ones than a document takes; those that are there are no news', () => {
    const { room, join, appended } = setupRoom()
    const author = join(true)
    room.receive(author, 1, structsOf(idsFrom(1, 10_000)), taken)
    room.receive(author, 2, structsOf(idsFrom(1, 10_000), 1), taken)
    expect([author.calls, appended.length]).toEqual([[], 2])
    room.receive(author, 3, structsOf(idsFrom(2, 10_000), 2), taken)
    room.receive(author, 4, structsOf([20_000]), taken)
    expect([author.calls, appended.length]).toEqual([['refuse 3', 'refuse 4'], 2])
  })

  it('S10: counts an id once, however many of its clocks are missing in between', () => {
    const { room, join, appended } = setupRoom()
    const author = join(true)
    room.receive(author, 1, structsOf(idsFrom(1, 9_500)), taken)
    const apart = forgeOfMany(
      idsFrom(1, 500).map((id) => ({ client: 10_000 + id, structs: [text, { skip: 1 }, text] })),
    )
    room.receive(author, 2, apart, offered)
    expect([author.calls.includes('refuse 2'), appended.length]).toEqual([false, 2])
  })
})

const deletesOf = (ids: readonly number[], clock: number, length: number) =>
  ids.map((client) => [client, clock, length] as const)
