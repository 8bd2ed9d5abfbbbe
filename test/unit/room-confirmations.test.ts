import { describe, expect, it } from 'vitest'
import { Confirmations } from '../../server/room/confirmations.js'
import type { Member } from '../../server/room/member.js'
import { DocumentIndex } from '../../server/update/document-index.js'
import { scanUpdate } from '../../server/update/scan.js'
import { Visible } from '../../server/update/visible.js'
import { FakeMember } from '../support/fake-member.js'
import { forge } from '../support/forge.js'

/** One character of a client, at a clock. */
const edit = (client: number, clock: number) => scanUpdate(forge({ client, clock, structs: [{ text: 'x' }] }))

/** Confirmations of a document that the test writes, commits, and whose ids it gives out. */
const setup = () => {
  const index = new DocumentIndex()
  const visible = new Visible(index)
  const content = { seq: 0, index, visible }
  const owners = new Map<number, Member>()
  const told: unknown[] = []
  const confirmations = new Confirmations({
    content,
    owners: { of: (client) => owners.get(client) },
    broadcast: {
      echo: (member, seqs) => told.push(['echo', member, seqs]),
      withhold: (member, seq) => told.push(['withhold', member, seq]),
    },
    clock: () => 0,
  })
  return {
    confirmations,
    owners,
    told: () => told.splice(0),
    /** A member that says that it holds nothing. */
    join: (extended: boolean): FakeMember => {
      const member = new FakeMember(extended)
      confirmations.join(member)
      confirmations.asked(member, new Map())
      return member
    },
    take: (author: Member, message: number, client: number, clock: number): void => {
      const scan = edit(client, clock)
      visible.add(scan)
      content.seq++
      confirmations.taken(author, message, content.seq, scan, false)
    },
  }
}

describe('Confirmations', () => {
  it('X4, S4: an extended author is told a number, a stock one gets its updates back, both when they are durable', () => {
    const { confirmations, join, take, told } = setup()
    const [ada, bob] = [join(true), join(false)]
    take(ada, 1, 1, 0)
    take(ada, 2, 1, 1)
    take(bob, 1, 2, 0)
    expect([confirmations.unconfirmed(ada), confirmations.unconfirmed(bob)]).toEqual([[1, 2], [3]])
    expect([ada.calls, told(), confirmations.complete]).toEqual([[], [], false])
    confirmations.committed(3)
    expect([ada.calls, told()]).toEqual([['ack 2'], [['echo', bob, [3]]]])
    expect([confirmations.durable, confirmations.complete, confirmations.unconfirmed(bob)]).toEqual([
      3,
      true,
      [],
    ])
  })

  it('X4: what held nothing new is durable when what it may repeat is; at once if all is', () => {
    const { confirmations, join, take } = setup()
    const [ada, bob] = [join(true), join(true)]
    take(ada, 1, 1, 0)
    confirmations.repeated(bob, 1, edit(1, 0), false)
    expect(bob.calls).toEqual([])
    confirmations.committed(1)
    expect(bob.calls).toEqual(['ack 1'])
    confirmations.repeated(bob, 2, edit(1, 0), false)
    expect(bob.calls).toEqual(['ack 1', 'ack 2'])
  })

  it('S5: neither an update after a gap nor what comes after it is called safe before the gap is closed', () => {
    const { confirmations, join, take, told } = setup()
    const [ada, bob] = [join(true), join(false)]
    take(ada, 1, 1, 1)
    take(ada, 2, 3, 0)
    take(bob, 1, 2, 1)
    confirmations.committed(3)
    expect([ada.calls, told(), confirmations.unconfirmed(ada)]).toEqual([[], [], [1, 2]])
    take(bob, 2, 2, 0)
    take(ada, 3, 1, 0)
    confirmations.committed(5)
    expect([ada.calls, told()]).toEqual([['ack 3'], [['echo', bob, [3, 4]]]])
  })

  it('S4: a stock client’s edits that come by another way are withheld from it until they are durable', () => {
    const { confirmations, join, take, told, owners } = setup()
    const [ada, owner, ahead] = [join(true), join(false), join(false)]
    const unasked = new FakeMember(false)
    confirmations.join(unasked)
    owners.set(1, owner)
    confirmations.asked(ahead, new Map([[1, 5]]))
    take(ada, 1, 1, 0)
    expect(told()).toEqual([owner, unasked, ahead].map((member) => ['withhold', member, 1]))
    confirmations.committed(1)
    expect(told()).toEqual([owner, unasked, ahead].map((member) => ['echo', member, [1]]))
  })

  it('S4: nothing is withheld from one that speaks inkwire.1, from the author, nor from one that has left', () => {
    const { confirmations, join, take, told, owners } = setup()
    const [ada, bob, eve] = [join(true), join(false), join(false)]
    owners.set(1, ada)
    owners.set(2, bob)
    confirmations.asked(eve, new Map([[1, 5]]))
    confirmations.leave(eve)
    take(bob, 1, 1, 0)
    take(bob, 2, 2, 0)
    expect(told()).toEqual([])
  })
})
