import { createHash } from 'node:crypto'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { missing } from './assemble.js'
import { Kind, seal, unseal } from './envelope.js'
import { GENERATION_BYTES, generationToBytes, generationToHex } from './generation.js'
import { WHOLE_RANGE } from './keys.js'
import type { JournalLogger } from './logger.js'
import type { Store, Write } from './store.js'

/** What was last seen of a document. */
export interface Seen {
  readonly generation: string
  /** The highest `seq` that was durable. */
  readonly seq: number
  /** It was about to be deleted or to change its generation: either outcome is right. */
  readonly leaving: boolean
  /** It was fsynced. If not, a power cut may have taken it. */
  readonly synced: boolean
}

/** What the journal has of a document. */
export interface Found {
  readonly generation: string
  readonly seq: number
}

/** What follows from comparing the two. */
export type Verdict =
  | { readonly status: 'ok' }
  /** Something is missing that could have been lost in a power cut: that is what durability `os` means. */
  | { readonly status: 'lost'; readonly problem: string }
  | { readonly status: 'damaged'; readonly problem: string }

const OK: Verdict = { status: 'ok' }

/**
 * Compares what the journal has (`null`: nothing) with what was seen. Pure.
 *
 * @example
 *   judge({ generation, seq: 9, leaving: false, synced: true }, { generation, seq: 7 })
 *   // { status: 'damaged', problem: 'updates 8 to 9 are missing' }
 */
export const judge = (seen: Seen | null, found: Found | null): Verdict => {
  if (!seen) return OK
  const bad = (problem: string): Verdict => ({ status: seen.synced ? 'damaged' : 'lost', problem })
  if (!found) return seen.leaving ? OK : bad(`it is not in the catalog, but had ${seen.seq} updates`)
  if (found.generation !== seen.generation) {
    return seen.leaving ? OK : bad(`it is generation ${found.generation}, but was ${seen.generation}`)
  }
  return found.seq < seen.seq ? bad(missing(found.seq + 1, seen.seq)) : OK
}

/** A document as the witness knows it. */
export interface Witnessed {
  readonly witnessKey: Uint8Array
  readonly generation: string
}

/** A name as the witness keeps it: no name lies in its files. */
export const witnessKey = (name: Uint8Array): Uint8Array =>
  createHash('sha256').update(name).digest().subarray(0, GENERATION_BYTES)

/**
 * A second, small store beside the journal that remembers how far each document had come.
 *
 * LevelDB drops what it can't read in its log (from a flipped bit to the end of the block, or of the file) and opens
 * as if nothing had been there. Checksums and contiguous numbers notice a hole, but not that a document's *last*
 * updates are gone, nor that a whole document is: nothing is left to look at. A witness elsewhere is.
 *
 * It is written after the commit that it tells of was acknowledged, never before, so it never claims too much; many
 * commits go in one write, and it is not fsynced: it costs a commit nothing. What that means:
 *
 * - it catches: last updates, whole documents, deletions and changes of generation that vanished from the journal's
 *   files by damage to them, by files that are missing, or by older files put in their place;
 * - it does not catch: what was committed in the last moment before the process was killed (20 to 50 ms; under load
 *   that never stops for 50 ms, up to half a second), or in the last half minute or so before a power cut, *if* the
 *   journal's files are damaged there as well; and damage to both stores at once. Its own records carry checksums: a
 *   damaged witness says nothing rather than something wrong.
 */
export class Witness {
  readonly #store: Store
  readonly #synced: boolean
  readonly #later: (ms: number, task: () => void) => () => void
  readonly #elapsed: () => number
  readonly #logger: JournalLogger
  /** What is to be written, by document; the newest word counts. */
  readonly #news = new Map<string, { readonly document: Witnessed; readonly seq: number }>()
  /** Runs while there is news: pause, write, and again. */
  #telling: Promise<void> | null = null
  /** When the last of it came, ms of {@link #elapsed}. */
  #heardAt = 0
  /** It has taken its share of the time until then, ms of {@link #elapsed}. */
  #restUntil = Number.NEGATIVE_INFINITY
  /** Ends a pause. */
  #hurry: (() => void) | null = null
  /** The write that is under way. */
  #write: Promise<void> = Promise.resolve()
  #working = true
  #closing = false

  constructor(deps: {
    readonly store: Store
    /** The journal fsyncs its commits. */
    readonly synced: boolean
    /** Runs a task after so many ms; what it returns calls it off. */
    readonly later: (ms: number, task: () => void) => () => void
    /** Milliseconds from any start. */
    readonly elapsed: () => number
    readonly logger: JournalLogger
  }) {
    this.#store = deps.store
    this.#synced = deps.synced
    this.#later = deps.later
    this.#elapsed = deps.elapsed
    this.#logger = deps.logger
  }

  /** What was last seen under this name; `null` when nothing was, or when the witness can't tell. */
  async recall(name: Uint8Array): Promise<Seen | null> {
    const key = witnessKey(name)
    try {
      const value = await this.#store.get(key)
      return value ? decodeSeen(key, value) : null
    } catch (error) {
      this.#logger.warn({ err: error }, 'the witness can not be read')
      return null
    }
  }

  /** All that was seen, by {@link witnessKey}; for tools. What is damaged is left out. */
  async *all(): AsyncGenerator<readonly [key: Uint8Array, seen: Seen], void, void> {
    await this.flush()
    for await (const page of this.#store.pages(WHOLE_RANGE)) {
      for (const [key, value] of page) {
        const seen = decodeSeen(key, value)
        if (seen) yield [key, seen]
      }
    }
  }

  /** The document is durable up to `seq`. Written a little later, with all else that was seen meanwhile. */
  saw(document: Witnessed, seq: number): void {
    if (!this.#working) return
    this.#news.set(toText(document.witnessKey), { document, seq })
    this.#heardAt = this.#elapsed()
    this.#telling ??= this.#tell()
  }

  /**
   * The document is about to lose this generation. Resolves when that is on disk.
   *
   * @throws what the store throws: without this word, the change must not be made.
   */
  async leaving(name: Uint8Array, found: Found): Promise<void> {
    const key = witnessKey(name)
    // Nothing older may be written after it.
    this.#news.delete(toText(key))
    await this.#write
    await this.#store.write([this.#record(key, found, found.seq, true)], { sync: true })
  }

  /** The document is gone: so is the memory of it. */
  async forget(name: Uint8Array): Promise<void> {
    await this.#store.write([{ key: witnessKey(name), value: null }])
  }

  /** Resolves when all that was seen is written. */
  async flush(): Promise<void> {
    while (this.#telling) await this.#telling
  }

  /** Trusts the store again after it failed. */
  async reopen(): Promise<void> {
    if (this.#working) return
    await this.#store.reopen()
    this.#working = true
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#hurry?.()
    await this.flush()
    await this.#store.close()
  }

  async #tell(): Promise<void> {
    while (this.#news.size > 0) {
      await this.#pause()
      const began = this.#elapsed()
      const writes = [...this.#news.values()].map(({ document, seq }) =>
        this.#record(document.witnessKey, document, seq, false),
      )
      this.#news.clear()
      this.#write = this.#store.write(writes).catch((error: unknown) => this.#failed(error))
      await this.#write
      const ended = this.#elapsed()
      this.#restUntil = ended + Math.min(LONGEST_MS, (ended - began) * SHARE)
    }
    // In one turn with the last look at the news.
    this.#telling = null
  }

  /** Until nothing more comes for a moment, so that the last word before a quiet time is soon told, or it has rested. */
  async #pause(): Promise<void> {
    for (let left = SHORTEST_MS; left > 0 && !this.#closing; ) {
      await this.#sleep(left)
      left = Math.min(this.#restUntil, this.#heardAt + LULL_MS) - this.#elapsed()
    }
  }

  async #sleep(ms: number): Promise<void> {
    let callOff = (): void => {}
    await new Promise<void>((resolve) => {
      this.#hurry = resolve
      callOff = this.#later(ms, resolve)
    })
    this.#hurry = null
    callOff()
  }

  #failed(error: unknown): void {
    this.#working = false
    this.#logger.warn({ err: error }, 'the witness can not be written; it is tried again with the journal')
  }

  #record(
    key: Uint8Array,
    { generation }: { readonly generation: string },
    seq: number,
    leaving: boolean,
  ): Write {
    return { key, value: encodeSeen(key, { generation, seq, leaving, synced: this.#synced }) }
  }
}

/** Commits within this time are witnessed together, ms, in any case. */
const SHORTEST_MS = 20
/** When nothing came for so long, what came before is witnessed, ms: longer than between two flushes of a busy room. */
const LULL_MS = 50
/** While there is always more, the witness takes one part in so many of the time. */
const SHARE = 300
/** Later than that it isn't in any case, ms. */
const LONGEST_MS = 500

/** A key as a Map can look it up. */
const toText = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

const LEAVING = 1
const SYNCED = 2

const encodeSeen = (key: Uint8Array, seen: Seen): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeUint8Array(encoder, generationToBytes(seen.generation))
  encoding.writeVarUint(encoder, seen.seq)
  encoding.writeVarUint(encoder, (seen.leaving ? LEAVING : 0) | (seen.synced ? SYNCED : 0))
  return seal(key, Kind.seen, encoding.toUint8Array(encoder))
}

const decodeSeen = (key: Uint8Array, value: Uint8Array): Seen | null => {
  const unsealed = unseal(key, value)
  if (unsealed.status !== 'ok' || unsealed.kind !== Kind.seen) return null
  const decoder = decoding.createDecoder(unsealed.body)
  const generation = generationToHex(decoding.readUint8Array(decoder, GENERATION_BYTES))
  const seq = decoding.readVarUint(decoder)
  const flags = decoding.readVarUint(decoder)
  return { generation, seq, leaving: (flags & LEAVING) !== 0, synced: (flags & SYNCED) !== 0 }
}
