import { expect } from 'vitest'
import * as Y from 'yjs'
import { contents } from './random-edits.js'

/** Whether two replicas hold the same structs and deletions, and wait for nothing. */
export const alike = (one: Y.Doc, other: Y.Doc): boolean =>
  one.store.clients.size === other.store.clients.size &&
  [one, other].every(({ store }) => store.pendingStructs === null && store.pendingDs === null) &&
  // Last what looks at every struct: a test that waits asks again and again.
  [...one.store.clients.keys()].every((id) => Y.getState(one.store, id) === Y.getState(other.store, id)) &&
  Y.equalSnapshots(Y.snapshot(one), Y.snapshot(other))

/** Whether a replica has everything that another one has, as far as that doesn't wait for something. */
export const covers = (doc: Y.Doc, other: Y.Doc): boolean => {
  for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVector(other))) {
    if (Y.getState(doc.store, client) < clock) return false
  }
  const { clients } = Y.createDeleteSetFromStructStore(other.store)
  return [...clients].every(([client, ranges]) => ranges.every((range) => isDeleted(doc, client, range)))
}

/** What edits wait for that a replica has put aside, as the end of a sentence; empty for none. */
export const waitingFor = ({ store }: Y.Doc): string => {
  if (store.pendingStructs === null) return ''
  const missing = [...store.pendingStructs.missing].map(([client, clock]) => `clock ${clock} of ${client}`)
  return `; others wait for ${missing.join(', ')}`
}

/** Whether a replica has what an update says. */
export const holds = (doc: Y.Doc, update: Uint8Array): boolean => {
  const { structs, ds } = Y.decodeUpdate(update)
  return (
    structs.every(({ id, length }) => Y.getState(doc.store, id.client) >= id.clock + length) &&
    [...ds.clients].every(([client, ranges]) => ranges.every((range) => isDeleted(doc, client, range)))
  )
}

/**
 * Whether somebody who looks at a replica sees what an update says: its structs are in the document, not put aside until
 * something comes that is missing, and what it deletes isn't there (any more).
 */
export const shows = (doc: Y.Doc, update: Uint8Array): boolean => {
  const { structs, ds } = Y.decodeUpdate(update)
  return (
    structs.every(
      (struct) =>
        struct instanceof Y.Skip ||
        Y.getState(doc.store, struct.id.client) >= struct.id.clock + struct.length,
    ) &&
    [...ds.clients].every(([client, ranges]) => {
      const held = Y.getState(doc.store, client)
      return ranges.every(({ clock, len }) =>
        isDeleted(doc, client, { clock, len: Math.min(len, held - clock) }),
      )
    })
  )
}

const isDeleted = (
  { store }: Y.Doc,
  client: number,
  { clock, len }: { readonly clock: number; readonly len: number },
): boolean => {
  if (Y.getState(store, client) < clock + len) return false
  for (let at = clock; at < clock + len; ) {
    const { deleted, id, length } = Y.getItem(store, Y.createID(client, at))
    if (!deleted) return false
    at = id.clock + length
  }
  return true
}

/** A document's state as bytes that don't depend on how it came about: Yjs joins structs as far as it can. */
export const canonical = (doc: Y.Doc): Buffer => {
  // With a name of its own Yjs would ask the system for randomness: tests do this often.
  const copy = new Y.Doc({ gc: true, guid: 'copy' })
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  const bytes = Y.encodeStateAsUpdate(copy)
  copy.destroy()
  return Buffer.from(bytes)
}

/** Expects two replicas to be the same, byte for byte; says what differs. */
export const expectSame = (one: Y.Doc, other: Y.Doc, who: string): void => {
  if (canonical(one).equals(canonical(other))) return
  // Says more than bytes do.
  expect(contents(one), who).toEqual(contents(other))
  throw new Error(`${who}: the same contents in other bytes`)
}
