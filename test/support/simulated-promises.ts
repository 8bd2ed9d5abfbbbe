import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { InkwireProvider } from '../../client/index.js'
import { shows, waitingFor } from './documents.js'
import { lastNumber } from './numbered-edits.js'
import type { Replica } from './simulated-world.js'

/** Something that a client may be told is safe. */
interface Said {
  /** Whose it is, in words. */
  readonly what: string
  readonly update: Uint8Array
}

/** One edit of a client's own. */
interface Edit extends Said {
  readonly author: number
  /** The author's number of it, or of the last one that has a number; 0 for none. */
  readonly number: number
}

/** A stock client's edit, and which of its clocks haven't come back. */
interface Unconfirmed {
  readonly edit: Edit
  readonly from: number
  readonly to: number
}

/**
 * What clients were told is safe, each in its own way: ours by `whenSaved`, y-websocket's by an update that brings its
 * edit back (PROTOCOL S4), raw ones by acks (X4). Whoever comes after the server's death must see all of it. That it is
 * on the disk isn't enough: what builds upon something that was lost is put aside by every client, and what such an edit
 * deletes is gone nevertheless.
 */
export class Promises {
  /** What was called safe, and hasn't been found to be there. */
  #promised: Said[] = []
  /** By author: the highest number that was called safe. Later edits take its place, and must show theirs. */
  readonly #numbers = new Map<number, number>()
  readonly #unconfirmed = new Map<Replica, readonly Unconfirmed[]>()

  /** Follows what a client makes and is told; its provider has to listen to the document by now. */
  watch(replica: Replica): void {
    const { doc, kind, provider } = replica
    const author = doc.clientID
    let made = 0
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === provider) return
      const what = `edit ${++made} of ${kind} ${author}`
      const edit: Edit = { what, update, author, number: lastNumber(doc, author) }
      if (provider instanceof InkwireProvider) {
        provider.whenSaved().then(
          () => this.#safe(edit),
          () => undefined,
        )
      } else if (provider instanceof WebsocketProvider) {
        const [first] = ownStructs(update, author)
        // What only deletes doesn't come back for sure: somebody else may have deleted the same.
        if (!first) return
        const unconfirmed = { edit, from: first.id.clock, to: Y.getState(doc.store, author) }
        this.#unconfirmed.set(replica, [...(this.#unconfirmed.get(replica) ?? []), unconfirmed])
      }
    })
  }

  /** A raw client was acknowledged a message with this update. */
  acknowledged(author: number, update: Uint8Array): void {
    this.#promised.push({ what: `a message of raw ${author}`, update })
  }

  /** An update message has come to a client. */
  heard(replica: Replica, update: Uint8Array): void {
    const waiting = this.#unconfirmed.get(replica)
    if (!waiting || waiting.length === 0) return
    const own = ownStructs(update, replica.doc.clientID)
    if (own.length === 0) return
    const left: Unconfirmed[] = []
    for (const { edit, ...clocks } of waiting) {
      // An edit may come back in several updates.
      let { from, to } = clocks
      for (const { id, length } of own) {
        if (id.clock <= from) from = Math.max(from, id.clock + length)
        if (id.clock + length >= to) to = Math.min(to, id.clock)
      }
      if (from < to) left.push({ edit, from, to })
      else this.#safe(edit)
    }
    this.#unconfirmed.set(replica, left)
  }

  /** What somebody who has just come doesn't see of what was promised, in words. */
  broken(newcomer: Y.Doc): string[] {
    // What was there once stays there.
    this.#promised = this.#promised.filter(({ update }) => !shows(newcomer, update))
    const broken = this.#promised.map(({ what }) => `${what} isn't there`)
    for (const [author, number] of this.#numbers) {
      const last = lastNumber(newcomer, author)
      if (last < number) broken.push(`number ${number} of ${author} isn't there, but ${last || 'none'}`)
    }
    return broken.map((what) => `${what}, and was called safe${waitingFor(newcomer)}`)
  }

  #safe(edit: Edit): void {
    this.#promised.push(edit)
    this.#numbers.set(edit.author, Math.max(edit.number, this.#numbers.get(edit.author) ?? 0))
  }
}

const ownStructs = (update: Uint8Array, author: number): (Y.GC | Y.Item | Y.Skip)[] =>
  Y.decodeUpdate(update).structs.filter(
    (struct) => struct.id.client === author && !(struct instanceof Y.Skip),
  )
