/**
 * The page of the textarea tests: a textarea bound to one document, and a second document whose edits
 * reach the first at once, as a colleague's would.
 */
import { ObservableV2 } from 'lib0/observable'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Access } from '../../../client/index.js'
import {
  bindInput,
  bindTextarea,
  type TextareaBinding,
  type TextareaOptions,
} from '../../../client/textarea/index.js'

export interface SceneOptions {
  /** The page's body; the bound element has the id `field`. Default: a plain textarea. */
  readonly html?: string
  /** The shared text to start with. */
  readonly text?: string
  readonly composition?: 'stream' | 'hold'
  readonly reset?: 'restore' | 'apply'
  /** Whether presence is shared too. */
  readonly presence?: boolean
  /** What the provider says that one may do. Default: there is no provider. */
  readonly access?: Access | null
}

export interface Scene {
  readonly field: HTMLTextAreaElement & HTMLInputElement
  readonly binding: TextareaBinding
  /** The shared text as the page has it, and as the colleague has it. */
  readonly text: Y.Text
  readonly remote: Y.Text
  readonly awareness: Awareness
  readonly remoteAwareness: Awareness
  /** Every transaction of the page's own document that changed it: its origin and what came of it. */
  readonly transactions: { own: boolean; delta: unknown }[]
  /** Has the provider say that one may do something else from now on. */
  grant(access: Access): void
  /** A colleague's caret or selection, in indices of the text. */
  point(anchor: number, head: number, user?: { name: string; color: string }): void
}

const exported = {
  Y,
  Awareness,
  bindTextarea,
  bindInput,
  start(options: SceneOptions = {}): Scene {
    document.body.innerHTML = options.html ?? '<textarea id="field" rows="8" cols="40"></textarea>'
    const field = document.getElementById('field') as Scene['field']
    const [docA, docB] = [new Y.Doc(), new Y.Doc()]
    docA.clientID = 1 // of two insertions at one place, the page's comes first
    docB.clientID = 2
    docA.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== docB) Y.applyUpdate(docB, update, docA)
    })
    docB.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== docA) Y.applyUpdate(docA, update, docB)
    })
    const [awareness, remoteAwareness] = [new Awareness(docA), new Awareness(docB)]
    const relay = (from: Awareness, to: Awareness) =>
      from.on('update', (changes: Record<'added' | 'updated' | 'removed', number[]>, origin: unknown) => {
        if (origin === to) return
        const clients = [...changes.added, ...changes.updated, ...changes.removed]
        applyAwarenessUpdate(to, encodeAwarenessUpdate(from, clients), from)
      })
    relay(awareness, remoteAwareness)
    relay(remoteAwareness, awareness)

    const provider = Object.assign(new ObservableV2<{ access: (access: Access) => void }>(), {
      awareness,
      access: options.access ?? null,
    })

    const [text, remote] = [docA.getText('text'), docB.getText('text')]
    remote.insert(0, options.text ?? '')
    const settings: TextareaOptions = {
      composition: options.composition,
      reset: options.reset,
      ...(options.presence ? { awareness } : {}),
      ...(options.access === undefined ? {} : { provider }),
    }
    const binding =
      field.localName === 'textarea' ? bindTextarea(text, field, settings) : bindInput(text, field, settings)
    const transactions: Scene['transactions'] = []
    text.observe((event, transaction) => {
      transactions.push({ own: transaction.origin === binding, delta: event.delta })
    })
    const scene: Scene = {
      field,
      binding,
      text,
      remote,
      awareness,
      remoteAwareness,
      transactions,
      grant(access) {
        provider.access = access
        provider.emit('access', [access])
      },
      point(anchor, head, user) {
        const at = (index: number) => Y.createRelativePositionFromTypeIndex(remote, index)
        if (user) remoteAwareness.setLocalStateField('user', user)
        remoteAwareness.setLocalStateField('cursor', {
          anchor: Y.relativePositionToJSON(at(anchor)),
          head: Y.relativePositionToJSON(at(head)),
        })
      },
    }
    Object.assign(window, scene)
    return scene
  },
}

declare global {
  interface Window extends Scene, PageExports {}
}
export type PageExports = typeof exported

Object.assign(window, exported)
