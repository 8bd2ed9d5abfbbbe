import { describe, expect, it } from 'vitest'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { setupRoom } from '../support/room.js'

describe('X9: initial content', () => {
  const contentOf = (text: string): Uint8Array => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, text)
    return Y.encodeStateAsUpdate(doc)
  }
  const how = { mayWrite: true, reoffered: false }
  const NOTHING = Uint8Array.of(0)

  it('is on disk before anybody sees it, and only then anything else happens', () => {
    const { room, join, endTurn, appended } = setupRoom()
    const [a, b] = [join(true, 'ada'), join()]
    room.seed(a, contentOf('first'))
    room.seed(b, contentOf('second'))
    endTurn()
    expect(appended).toMatchObject([{ author: 'ada' }])
    expect(room).toMatchObject({ idle: false, seq: 0 })
    expect(room.answer(a, NOTHING)).toBe(null)
    expect(room.receive(b, 1, contentOf('typed'), how)).toBe(false)
    expect([a.updates, b.updates, appended.length]).toEqual([0, 0, 1])
    room.committed(1)
    endTurn()
    expect([a.updates, b.updates]).toEqual([1, 1])
    expect([a.calls, b.calls]).toEqual([['go on'], ['go on']])
    expect(room.receive(b, 1, contentOf('typed'), how)).toBe(true)
    expect(room.answer(a, NOTHING)).not.toBe(null)
    expect(appended.length).toBe(2)
  })

  it('is not waited for by who has left, and the room stays until it is on disk', () => {
    const { room, join, idle } = setupRoom()
    const a = join(true)
    room.seed(a, contentOf('first'))
    room.answer(a, NOTHING)
    room.leave(a)
    expect([room.idle, idle()]).toEqual([false, 0])
    room.committed(1)
    expect([room.idle, idle() > 0, a.calls]).toEqual([true, true, []])
  })

  it('comes before what the app merges meanwhile', async () => {
    const { room, join, appended } = setupRoom()
    room.seed(join(true), contentOf('first'))
    const merged = room.merge(contentOf('from the app'))
    await Promise.resolve()
    expect(appended.length).toBe(1)
    room.committed(1)
    await expect.poll(() => appended.length).toBe(2)
    room.committed(2)
    expect(await merged).toBe(true)
  })

  it('under an id that somebody else has is refused', () => {
    const { room, join } = setupRoom()
    const [owner, thief] = [join(true), join(true)]
    const presence = new Awareness(new Y.Doc())
    room.present(owner, encodeAwarenessUpdate(presence, [presence.clientID]))
    presence.doc.getText('t').insert(0, 'stolen')
    expect(() => room.seed(thief, Y.encodeStateAsUpdate(presence.doc))).toThrow(/not its own/)
    room.seed(owner, Y.encodeStateAsUpdate(presence.doc))
    presence.destroy()
  })
})
