import { describe, expect, it } from 'vitest'
import { ForeignEdits } from '../../server/room/foreign-edits.js'
import type { Member } from '../../server/room/member.js'
import { Owners } from '../../server/room/owners.js'
import { DocumentIndex } from '../../server/update/document-index.js'
import { scanUpdate } from '../../server/update/scan.js'
import { splice } from '../../server/update/splice.js'
import { FakeMember } from '../support/fake-member.js'
import { forge } from '../support/forge.js'

/** One character each of some clients, at their first clock. */
const edits = (...clients: number[]) =>
  scanUpdate(
    splice(clients.map((client) => scanUpdate(forge({ client, clock: 0, structs: [{ text: 'x' }] })))),
  )

/** Ada owns id 1, Bob id 2. */
const setup = () => {
  const index = new DocumentIndex()
  const owners = new Owners<Member>()
  const foreign = new ForeignEdits(owners, index)
  const [ada, bob] = [new FakeMember(true), new FakeMember(true)]
  owners.claim(ada, 1)
  owners.claim(bob, 2)
  return { index, owners, foreign, ada, bob }
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
    const { index, foreign, ada } = setup()
    const own = foreign.ownPart(ada, edits(1, 2, 3))
    expect(own?.blocks.map(({ client }) => client).sort()).toEqual([1, 3])
    expect(own && scanUpdate(own.bytes)).toEqual(own)
    expect(foreign.ownPart(ada, edits(2))).toBeNull()
    index.add(edits(1, 3))
    expect(foreign.ownPart(ada, edits(1, 2, 3))).toBeNull()
  })

  it('wait until the owner has brought them; it is asked whether it is still there, once for each message', () => {
    const { index, foreign, ada, bob } = setup()
    expect(foreign.holdBack(ada, edits(1, 2))).toBe(true)
    expect(bob.calls).toEqual(['there?'])
    foreign.letGoOn()
    expect(ada.calls).toEqual([])
    index.add(edits(2))
    foreign.letGoOn()
    foreign.letGoOn()
    expect(ada.calls).toEqual(['go on'])
    expect(foreign.holdBack(ada, edits(1, 2))).toBe(false)
  })

  it('wait for an owner only while it is there, and not for an author that has left', () => {
    const { owners, foreign, ada, bob } = setup()
    const eve = new FakeMember(true)
    expect([foreign.holdBack(ada, edits(2)), foreign.holdBack(eve, edits(2))]).toEqual([true, true])
    foreign.leave(eve)
    owners.leave(bob)
    foreign.letGoOn()
    expect([ada.calls, eve.calls]).toEqual([['go on'], []])
  })
})
