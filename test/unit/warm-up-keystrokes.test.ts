import { describe, expect, it } from 'vitest'
import { Awareness, applyAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { cursor, letter } from '../../server/warm-up/keystrokes.js'

describe('what extras say', () => {
  it('is what Yjs says when somebody types', () => {
    const typed = new Y.Doc()
    typed.clientID = 300
    const said: Uint8Array[] = []
    typed.on('update', (update: Uint8Array) => void said.push(update))
    for (let i = 0; i < 3; i++) typed.getText('t').insert(i, 'a')
    expect([0, 1, 2].map((clock) => letter(300, clock))).toEqual(said)
  })

  it('is a presence that y-protocols understands', () => {
    const doc = new Y.Doc()
    const awareness = new Awareness(doc)
    applyAwarenessUpdate(awareness, cursor(7, 1), null)
    applyAwarenessUpdate(awareness, cursor(7, 2), null)
    expect(awareness.getStates().get(7)).toMatchObject({ cursor: 2 })
    awareness.destroy()
    doc.destroy()
  })
})
