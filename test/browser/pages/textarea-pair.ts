/**
 * One of the two pages of the random test: a bound textarea whose document sends nothing by itself. The
 * test takes what has to be sent and delivers it when it likes, and each delivery is checked.
 */
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { bindTextarea } from '../../../client/textarea/index.js'

export interface PairOptions {
  readonly client: number
  readonly composition: 'stream' | 'hold'
  /** Milliseconds in which edits become one undo step. */
  readonly captureTimeout: number
}

/** What goes from one page to the other. */
export interface Parcel {
  readonly kind: 'text' | 'presence'
  readonly bytes: number[]
}

const join = ({ client, composition, captureTimeout }: PairOptions) => {
  const doc = new Y.Doc()
  doc.clientID = client
  const text = doc.getText('text')
  const awareness = new Awareness(doc)
  awareness.setLocalStateField('user', { name: `author ${client}`, color: client % 2 ? 'teal' : 'tomato' })
  const field = document.body.appendChild(document.createElement('textarea'))
  field.rows = 12
  const undoManager = new Y.UndoManager(text, { captureTimeout, trackedOrigins: new Set() })
  const binding = bindTextarea(text, field, { awareness, composition, undoManager })
  field.focus()

  const outgoing: Parcel[] = []
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'relay') outgoing.push({ kind: 'text', bytes: [...update] })
  })
  awareness.on('update', (_: unknown, origin: unknown) => {
    if (origin === 'relay') return
    outgoing.push({ kind: 'presence', bytes: [...encodeAwarenessUpdate(awareness, [client])] })
  })

  /** Whether nothing may be written to the element: from the start of a composition to the task after it. */
  let composing = false
  field.addEventListener('compositionstart', () => {
    composing = true
  })
  for (const type of ['compositionend', 'blur'])
    field.addEventListener(type, () =>
      setTimeout(() => {
        composing = false
      }),
    )

  let pending: string | null = null

  const selection = () => [field.selectionStart, field.selectionEnd]
  const shown = () => text.toString().replace(/\r\n?/g, '\n')

  return {
    field,
    binding,
    text: () => text.toString(),
    take: () => outgoing.splice(0),
    isComposing: () => composing,
    /** Fails if the element does not show the text, which it has to unless it composes. */
    check(when: string) {
      if (!composing && field.value !== pending && field.value !== shown())
        throw new Error(`${when}: ${JSON.stringify(field.value)} is shown for ${JSON.stringify(shown())}`)
      if (/\ufffd/.test(text.toString())) throw new Error(`${when}: half a surrogate pair`)
    },
    /** Sets the value as a script would: it is taken up with the next input or remote edit. */
    put(value: string) {
      field.value = pending = value
    },
    /** Selects, never from the middle of a surrogate pair; both ends as parts of the length. */
    select(from: number, to: number, direction: 'forward' | 'backward') {
      const whole = (part: number) => {
        const index = Math.floor(part * (field.value.length + 1))
        return field.value.charCodeAt(index) >> 10 === 0x37 ? index + 1 : index
      }
      field.setSelectionRange(whole(Math.min(from, to)), whole(Math.max(from, to)), direction)
    },
    /** Takes what the other page has sent, and checks that value and selection become what they should. */
    deliver(parcels: readonly Parcel[]) {
      for (const { kind, bytes } of parcels) {
        const update = Uint8Array.from(bytes)
        if (kind === 'presence') {
          applyAwarenessUpdate(awareness, update, 'relay')
          continue
        }
        const value = field.value
        const [start = 0, end = 0] = selection()
        const at = (index: number, association: number) =>
          Y.createRelativePositionFromTypeIndex(text, index, association)
        const last = at(end, -1)
        const first = start < end ? at(start, 0) : last
        Y.applyUpdate(doc, update, 'relay')
        const unsettled = value === pending
        pending = null
        if (composing) {
          if (field.value !== value)
            throw new Error(`written to while composing: ${JSON.stringify(field.value)}`)
          continue
        }
        this.check('after a delivery')
        if (unsettled) continue
        const index = (position: Y.RelativePosition) =>
          Y.createAbsolutePositionFromRelativePosition(position, doc, false)?.index ?? -1
        const to = index(last)
        const expected = [Math.min(index(first), to), to]
        if (JSON.stringify(selection()) !== JSON.stringify(expected))
          throw new Error(`the selection is ${selection()} instead of ${expected}, was ${start},${end}`)
      }
    },
  }
}

declare global {
  interface Window {
    join: typeof join
    side: ReturnType<typeof join>
  }
}

window.join = join
