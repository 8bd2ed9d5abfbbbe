import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { ForeignEdits } from '../../server/room/foreign-edits.js'
import type { Member } from '../../server/room/member.js'
import { Owners } from '../../server/room/owners.js'
import { DocumentIndex } from '../../server/update/document-index.js'
import { type Scan, scanUpdate } from '../../server/update/scan.js'
import { splice } from '../../server/update/splice.js'
import { Visible } from '../../server/update/visible.js'
import { FakeMember } from '../support/fake-member.js'
import { forge, forgeOfMany } from '../support/forge.js'

/** One character each of some clients, at their first clock. */
const edits = (...clients: number[]) =>
  scanUpdate(
    splice(clients.map((client) => scanUpdate(forge({ client, clock: 0, structs: [{ text: 'x' }] })))),
  )

/** One document to which the clients add a character each, each behind the one before. */
const chain = (...clients: number[]): Scan => {
  const doc = new Y.Doc()
  for (const client of clients) {
    doc.clientID = client
    doc.getText('t').insert(doc.getText('t').length, 'x')
  }
  return scanUpdate(Y.encodeStateAsUpdate(doc))
}

/** Ada owns id 1, Bob id 2. */
const setup = () => {
  const index = new DocumentIndex()
  const owners = new Owners<Member>()
  const visible = new Visible(index)
  const foreign = new ForeignEdits(owners, { index, visible })
  const [ada, bob] = [new FakeMember(true), new FakeMember(true)]
  owners.claim(ada, 1)
  owners.claim(bob, 2)
  return {
    index,
    visible,
    owners,
    foreign,
    ada,
    bob,
    message: (author: Member, scan: Scan) => foreign.message(author, scan),
    holdBack: (author: Member, scan: Scan) => foreign.holdBack(foreign.message(author, scan), scan),
  }
}

describe('ForeignEdits (PROTOCOL S7)', () => {
  it('are those with news under an id that another live connection owns', () => {
    const { index, owners, foreign, ada, bob } = setup()
    expect(foreign.areIn(ada, edits(1, 3))).toBe(false)
    expect(foreign.areIn(ada, edits(1, 2))).toBe(true)
    index.add(edits(2))
    expect(foreign.areIn(ada, edits(1, 2))).toBe(false)
    expect(foreign.areIn(bob, edits(1))).toBe(true)
    owners.leave(ada)
    expect(foreign.areIn(bob, edits(1))).toBe(false)
  })

  it('leave the author’s own part to go ahead, if it holds anything new', () => {
    const { index, foreign, ada, message } = setup()
    const held = message(ada, edits(1, 2, 3))
    expect(held.part?.blocks.map(({ client }) => client).sort()).toEqual([1, 3])
    expect(held.part && scanUpdate(held.part.bytes)).toEqual(held.part)
    expect(foreign.goingAhead(held)).toEqual([held])
    expect(message(ada, edits(2)).part).toBeNull()
    index.add(edits(1, 3))
    expect(message(ada, edits(1, 2, 3)).part).toBeNull()
  })

  it('the own part goes ahead only with all that it builds upon: of two that build on each other both at once', () => {
    const { foreign, ada, bob, message } = setup()
    const [all, more] = [chain(1, 2, 1, 2), chain(1, 2, 1, 2, 3)]
    const mine = message(ada, all)
    expect(foreign.goingAhead(mine)).toEqual([])
    expect(foreign.holdBack(mine, all)).toBe(true)
    expect(foreign.mayGoAhead).toBe(false)
    const theirs = message(bob, more)
    expect(new Set(foreign.goingAhead(theirs))).toEqual(new Set([mine, theirs]))
  })

  it('nor with one that can’t go ahead itself, until that has come another way', () => {
    const { visible, owners, foreign, ada, bob, message } = setup()
    const eve = new FakeMember(true)
    owners.claim(eve, 3)
    const all = chain(3, 1, 2)
    for (const author of [ada, bob]) {
      const held = message(author, all)
      expect(foreign.goingAhead(held)).toEqual([])
      foreign.holdBack(held, all)
    }
    expect(foreign.mayGoAhead).toBe(false)
    visible.add(chain(3))
    expect(foreign.mayGoAhead).toBe(true)
    expect(foreign.goingAhead().map(({ author }) => author)).toEqual([ada, bob])
  })

  it('are looked at again only as often as that is cheap: a large part only a few times', () => {
    const { foreign, ada, message } = setup()
    const text = { text: 'x'.repeat(100_000) }
    const large = scanUpdate(
      forgeOfMany([
        { client: 4, structs: [{ behind: [9, 0] }, text] },
        { client: 2, structs: [text] },
      ]),
    )
    const mine = message(ada, large)
    expect(mine.part?.bytes.length).toBeGreaterThan(100_000)
    foreign.holdBack(mine, large)
    for (let i = 0; i < 50; i++) foreign.goingAhead(message(ada, chain(8, 2)))
    expect(mine.tries).toBeLessThan(5)
    expect(mine.lacks).toEqual([{ client: 9, clock: 1 }])
  })

  it('wait until the owner has brought them; it is asked whether it is still there, once for each message', () => {
    const { index, foreign, holdBack, ada, bob } = setup()
    expect(holdBack(ada, edits(1, 2))).toBe(true)
    expect(bob.calls).toEqual(['there?'])
    foreign.letGoOn()
    expect(ada.calls).toEqual([])
    index.add(edits(2))
    foreign.letGoOn()
    foreign.letGoOn()
    expect(ada.calls).toEqual(['go on'])
    expect(holdBack(ada, edits(1, 2))).toBe(false)
  })

  it('wait for an owner only while it is there, and not for an author that has left', () => {
    const { owners, foreign, holdBack, ada, bob } = setup()
    const eve = new FakeMember(true)
    expect([holdBack(ada, edits(2)), holdBack(eve, edits(2))]).toEqual([true, true])
    expect(foreign.take(eve)?.author).toBe(eve)
    owners.leave(bob)
    foreign.letGoOn()
    expect([ada.calls, eve.calls]).toEqual([['go on'], []])
  })
})
