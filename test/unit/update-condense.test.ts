import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { condense } from '../../server/update/condense.js'
import { scanUpdate } from '../../server/update/scan.js'
import { splice } from '../../server/update/splice.js'
import { contents, replica } from '../support/random-edits.js'

const person = (clientID: number): { doc: Y.Doc; text: Y.Text } => {
  const doc = new Y.Doc()
  doc.clientID = clientID
  return { doc, text: doc.getText('text') }
}

const hear = (to: Y.Doc, from: Y.Doc): void => Y.applyUpdate(to, Y.encodeStateAsUpdate(from), 'heard')

/** All of it in one update, edit by edit. */
const recorded = (docs: readonly Y.Doc[], write: () => void): Uint8Array => {
  const updates: Uint8Array[] = []
  for (const doc of docs) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'heard') updates.push(update)
    })
  }
  write()
  return splice(updates.map((update) => scanUpdate(update)))
}

const structsOf = (update: Uint8Array, client: number): number =>
  scanUpdate(update).blocks.find((block) => block.client === client)?.structs ?? 0

describe('condensing an update', () => {
  it('joins what was typed in one go', () => {
    const { doc, text } = person(1)
    const whole = recorded([doc], () => {
      for (const letter of 'in one go') text.insert(text.length, letter)
    })
    expect(structsOf(whole, 1)).toBe(9)
    const { update, structs } = condense(scanUpdate(whole))
    expect([structs, structsOf(update, 1)]).toEqual([1, 1])
    expect(replica([update]).getText('text').toString()).toBe('in one go')
  })

  it('joins items of one right origin only', () => {
    const [ada, bob] = [person(1), person(2)]
    const whole = recorded([ada.doc, bob.doc], () => {
      bob.text.insert(0, 'X')
      hear(ada.doc, bob.doc)
      ada.text.insert(0, 'a')
      hear(bob.doc, ada.doc)
      bob.text.insert(1, 'Y')
      hear(ada.doc, bob.doc)
      // Between a and Y, while a was put before X.
      ada.text.insert(1, 'b')
    })
    const { update } = condense(scanUpdate(whole))
    expect(structsOf(update, 1)).toBe(2)
    expect(contents(replica([update]))).toEqual(contents(replica([whole])))
  })

  it('joins nothing over a gap, and keeps the gap', () => {
    const { doc, text } = person(1)
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => void updates.push(update))
    for (const letter of 'abcde') text.insert(text.length, letter)
    const whole = splice(updates.filter((_, i) => i !== 2).map((update) => scanUpdate(update)))
    const { update } = condense(scanUpdate(whole))
    expect(scanUpdate(update).blocks.map(({ clock, end }) => [clock, end])).toEqual([
      [0, 2],
      [3, 5],
    ])
    expect(
      replica([update, ...updates])
        .getText('text')
        .toString(),
    ).toBe('abcde')
  })

  it('cuts what is deleted in part, and forgets that part', () => {
    const { doc, text } = person(1)
    const whole = recorded([doc], () => {
      text.insert(0, 'keep forget keep')
      text.delete(4, 7)
    })
    const { update, structs } = condense(scanUpdate(whole))
    expect(structs).toBe(3)
    expect(new TextDecoder().decode(update)).not.toContain('forget')
    expect(replica([update]).getText('text').toString()).toBe('keep keep')
  })
})
