import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { edits, hereIs, offered, setupRoom, taken, whole } from '../support/room.js'

describe('Room', () => {
  it('S7: who writes under an id has it, who offers others’ edits hasn’t', () => {
    const { room, join } = setupRoom()
    const [ada, bob, eve] = [join(), join(), join()]
    const [first, second, third] = edits(7, 3) as [Uint8Array, Uint8Array, Uint8Array]
    room.receive(eve, 1, first, offered)
    expect(room.receive(ada, 1, second, taken)).toBe(true)
    expect(room.receive(bob, 1, third, taken)).toBe(false)
    expect(ada.calls).toEqual(['there?'])
  })

  it('S7: an id that only edits spoke for goes to whose presence has it', () => {
    const { room, join, appended } = setupRoom()
    const [author, peer] = [join(), join()]
    const updates = edits(7, 3)
    room.receive(peer, 1, updates[0] as Uint8Array, taken)
    room.present(author, hereIs(7))
    expect(room.receive(author, 1, whole(updates), offered)).toBe(true)
    expect(appended.length).toBe(2)
    expect(room.receive(peer, 2, edits(7, 4)[3] as Uint8Array, taken)).toBe(false)
  })

  it('S7: what goes ahead of a message brings no deletions, and comes back to a stock author with the whole', () => {
    const { room, join, appended } = setupRoom()
    const [ada, bob] = [join(), join(true)]
    room.present(ada, hereIs(7))
    room.present(bob, hereIs(8))
    const doc = new Y.Doc()
    doc.clientID = 7
    doc.getMap('m').set('key', 7)
    room.receive(ada, 1, Y.encodeStateAsUpdate(doc), taken)
    room.committed(1)
    room.flush()
    const before = ada.updates
    // Bob replaced it, and she wrote something else, when the server died.
    const held = Y.encodeStateVector(doc)
    doc.clientID = 8
    doc.getMap('m').set('key', 8)
    doc.clientID = 7
    doc.getText('t').insert(0, 'x')
    const both = Y.encodeStateAsUpdate(doc, held)
    expect(room.receive(ada, 2, both, offered)).toBe(false)
    const ahead = new Y.Doc()
    for (const { update } of appended) Y.applyUpdate(ahead, update)
    expect([ahead.getMap('m').get('key'), ahead.getText('t').toString()]).toEqual([7, 'x'])
    room.flush()
    room.committed(2)
    expect(ada.updates).toBe(before)
    room.leave(bob)
    expect(ada.calls).toContain('go on')
    expect(room.receive(ada, 2, both, offered)).toBe(true)
    room.flush()
    room.committed(3)
    expect(ada.updates).toBe(before + 2)
  })

  it('S7: two who offer each other’s edits again, as after a crash, do not wait for each other', () => {
    const { room, join, appended } = setupRoom()
    const [ada, bob] = [join(true), join(true)]
    room.present(ada, hereIs(7))
    room.present(bob, hereIs(8))
    const both = whole([...edits(7, 3), ...edits(8, 3)])
    expect(room.receive(ada, 1, both, offered)).toBe(false)
    expect(room.receive(bob, 1, both, offered)).toBe(true)
    expect(ada.calls).toContain('go on')
    expect(room.receive(ada, 1, both, offered)).toBe(true)
    room.committed(appended.length)
    expect(ada.calls.at(-1)).toBe('ack 1')
    expect(bob.calls.at(-1)).toBe('ack 1')
    const state = new Y.Doc()
    for (const { update } of appended) Y.applyUpdate(state, update)
    expect(state.getText('t').length).toBe(6)
  })

  it('S5, S7: nothing that waits is let in under an id that somebody has shown meanwhile', () => {
    const { room, join, appended } = setupRoom()
    const [author, owner] = [join(true), join(true)]
    const [first, second] = edits(7, 2) as [Uint8Array, Uint8Array]
    // Its own id is another one.
    room.receive(author, 1, edits(9, 1)[0] as Uint8Array, taken)
    room.receive(author, 2, second, taken)
    room.present(owner, hereIs(7))
    room.receive(owner, 1, first, offered)
    expect(appended.map(({ update }) => update)).toEqual([edits(9, 1)[0], first])
    expect(author.calls).toEqual(['missing?'])
  })
})
