import { onTestFinished } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Event } from '../../client/machine.js'
import type { Teller } from '../../client/outbox.js'
import { Ledger } from '../../client/saves.js'
import { Sync } from '../../client/sync.js'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'

/** Two generations of a document: {@link hello} tells the first. */
export const G1 = '1'.repeat(32)
export const G2 = '2'.repeat(32)

/** What a server says first; then come {@link step1} and {@link step2}. */
export const hello = (fields: Partial<Extract<Message, { type: 'hello' }>> = {}): Message => ({
  type: 'hello',
  generation: G1,
  seq: 3,
  access: 'write',
  durability: 'fsync',
  maxMessageBytes: 1_000,
  ...fields,
})

/** A server's question that holds nothing itself. */
export const step1: Message = { type: 'syncStep1', stateVector: Uint8Array.of(0) }

/** Its answer: nothing, unless told otherwise. */
export const step2 = (update: Uint8Array = Uint8Array.of(0, 0)): Message => ({ type: 'syncStep2', update })

/** A document's exchange without a socket: what it sends and tells is written down. */
export const exchange = (generation: string | null = null, initial: Uint8Array | null = null) => {
  const doc = new Y.Doc()
  // Its presence has a timer.
  onTestFinished(() => doc.destroy())
  const ledger = new Ledger()
  const replica = { doc, awareness: new Awareness(doc), generation }
  const sent: Message[] = []
  const steps: Event[] = []
  const told: [name: string, ...args: unknown[]][] = []
  let asked = 0
  const link = {
    send: (bytes: Uint8Array) => void sent.push(decodeMessage(bytes)),
    step: (event: Event) => {
      // Follows each first hello.
      if (event.type !== 'admitted') steps.push(event)
      if (event.type === 'refused' || event.type === 'lost') sync.end()
    },
    authenticate: () => void asked++,
  }
  const teller: Teller = { tell: (...event) => void told.push(event) }
  const sync: Sync = new Sync(replica, ledger, link, teller, {
    ...(generation && { generation }),
    ...(initial && { initialContent: (empty) => Y.applyUpdate(empty, initial) }),
  })
  doc.on('update', (update: Uint8Array, from: unknown) => {
    if (from !== replica) sync.edited(update)
  })
  return {
    doc,
    text: doc.getText('t'),
    ledger,
    sync,
    steps,
    told,
    asked: () => asked,
    /** What was sent since the last call, by type. */
    sent: () => sent.splice(0),
    types: () => sent.splice(0).map(({ type }) => type),
    hear: (...messages: Message[]) => {
      for (const message of messages) sync.received(encodeMessage(message))
    },
  }
}

/** Someone else's edit. */
export const foreign = (text = 'theirs'): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}
