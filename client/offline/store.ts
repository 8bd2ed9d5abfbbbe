import { InkwireError } from '../../shared/errors.js'
import type { Access } from '../../shared/messages.js'
import type { Loaded, Unsaved } from './contract.js'
import { type Tables, type Then, transact } from './database.js'

/** What the table `documents` holds for each document, by its name. */
export interface DocumentRecord {
  /**
   * Under which the content lies in the other tables; random, and another one after the document was
   * deleted. So a tab that doesn't know yet writes where nobody reads, and needs to read nothing first:
   * a page that is killed right after the last letter has already sent it off.
   */
  readonly epoch: string
  /** Set once, with the first content of it. */
  readonly generation: string | null
  /** What the server last said that this device may do; older versions didn't store it. */
  readonly access?: Access | null
}

/** `updates`: of an epoch, in the order in which they came. */
type UpdateKey = [epoch: string, ms: number, writer: string, count: number]

/** What is to be stored together. */
export interface Batch {
  readonly updates: readonly Uint8Array[]
  /** What the writer doesn't know to be durable, itself included. */
  readonly unsaved: Unsaved | null
  /** The generation, when it is to be stored or checked; null leaves it as it is. */
  readonly generation: string | null
  /** What this device may do, when it is to be stored; null leaves it as it is. */
  readonly access: Access | null
}

/** What is kept with a document's name. */
type Beside = Pick<Batch, 'generation' | 'access'>
const NOTHING: Beside = { generation: null, access: null }

/** A document's content as it was stored. */
export interface StoredContent extends Loaded {
  readonly updates: readonly Uint8Array[]
}

/** All keys that begin with an epoch: an array is greater than any number or string. */
export const keysOf = (epoch: string): IDBKeyRange => IDBKeyRange.bound([epoch], [epoch, []])

/** 16 random hex digits. `randomUUID` wants a secure context, this doesn't. */
const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')

const forgotten = (): InkwireError =>
  new InkwireError('INKWIRE_DEVICE_FORGOTTEN', 'the document was deleted from this device')

/** What several tabs don't know to be durable. They tell each other their edits, so these are not summed up. */
const union = (marks: readonly Unsaved[]): Unsaved | null =>
  marks.length === 0
    ? null
    : {
        count: Math.max(...marks.map(({ count }) => count)),
        since: Math.min(...marks.map(({ since }) => since)),
      }

/**
 * One document in the database, as one writer sees it. Tabs write next to each other, never over each other:
 * keys are unique, and a transaction that depends on what is there reads it first.
 */
export class Store {
  readonly #key: string
  readonly #writer = randomId()
  #epoch = ''
  #count = 0
  /** Keys of others' content that the document in memory holds. What we wrote ourselves it holds anyway. */
  readonly #known = new Set<string>()

  /** @param key the document's name on this device. */
  constructor(key: string) {
    this.#key = key
  }

  /**
   * Reads the document, or makes a place for it. Marks of unsaved edits that other writers left become ours:
   * who holds the content is answerable for it.
   *
   * @param generation what the document in memory is of; null while that is open.
   * @throws InkwireError INKWIRE_DEVICE_CONFLICT when what is stored is of another one.
   */
  async load(db: IDBDatabase, generation: string | null): Promise<StoredContent> {
    let record: DocumentRecord = { epoch: randomId(), generation: null }
    let updates: Uint8Array[] = []
    let unsaved: Unsaved | null = null
    await transact(db, (tables, then) => {
      then<DocumentRecord | undefined>(tables.documents.get(this.#key), (found) => {
        if (!found) {
          tables.documents.put(record, this.#key)
          return sweep(tables, then)
        }
        record = found
        checkGeneration(found, generation)
        const range = keysOf(found.epoch)
        then(tables.updates.getAllKeys(range), (keys) => {
          for (const key of keys) this.#known.add(JSON.stringify(key))
        })
        then<Uint8Array[][]>(tables.updates.getAll(range), (batches) => {
          updates = batches.flat()
        })
        then<Unsaved[]>(tables.unsaved.getAll(range), (marks) => {
          unsaved = union(marks)
          if (!unsaved) return
          tables.unsaved.delete(range)
          tables.unsaved.put(unsaved, [found.epoch, this.#writer])
        })
      })
    })
    this.#epoch = record.epoch
    return { updates, unsaved, generation: record.generation, access: record.access ?? null }
  }

  /**
   * Looks whether the document is still there, after the database was closed and opened again.
   *
   * @throws InkwireError INKWIRE_DEVICE_FORGOTTEN when it isn't.
   */
  resume(db: IDBDatabase): Promise<void> {
    return transact(db, (tables, then) => this.#check(tables, then, NOTHING, () => {}))
  }

  /**
   * Stores a batch. Without a generation and an access its requests are all placed at once, so that it survives the
   * page.
   *
   * @throws InkwireError INKWIRE_DEVICE_FORGOTTEN; INKWIRE_DEVICE_CONFLICT; what `transact` throws.
   */
  async write(db: IDBDatabase, { updates, unsaved, ...beside }: Batch): Promise<void> {
    const mark = [this.#epoch, this.#writer]
    let gone = false
    const put = (tables: Tables): void => {
      if (updates.length > 0) tables.updates.put(updates, this.#nextKey())
      if (unsaved) tables.unsaved.put(unsaved, mark)
      else tables.unsaved.delete(mark)
    }
    await transact(db, (tables, then, transaction) => {
      if (beside.generation ?? beside.access) return this.#check(tables, then, beside, () => put(tables))
      then<DocumentRecord | undefined>(tables.documents.get(this.#key), (found) => {
        gone = found?.epoch !== this.#epoch
      })
      put(tables)
      // Older browsers commit by themselves, a little later.
      transaction.commit?.()
    })
    if (!gone) return
    await transact(db, (tables) => {
      tables.updates.delete(keysOf(this.#epoch))
      tables.unsaved.delete(keysOf(this.#epoch))
    })
    throw forgotten()
  }

  /**
   * Puts one update in the place of all.
   *
   * @param absorb takes what other tabs have stored that the document in memory may lack.
   * @param snapshot gives all of the document.
   * @throws InkwireError as `write`.
   */
  compact(
    db: IDBDatabase,
    absorb: (updates: readonly Uint8Array[]) => void,
    snapshot: () => Uint8Array,
  ): Promise<void> {
    return transact(db, (tables, then) => {
      const range = keysOf(this.#epoch)
      const replace = (): void => {
        const update = snapshot()
        tables.updates.delete(range)
        this.#known.clear()
        tables.updates.put([update], this.#nextKey())
      }
      this.#check(tables, then, NOTHING, () => {
        then(tables.updates.getAllKeys(range), (keys) => {
          const ours = (key: IDBValidKey): boolean => Array.isArray(key) && key[2] === this.#writer
          const strange = keys.filter((key) => !ours(key) && !this.#known.has(JSON.stringify(key)))
          let missing = strange.length
          if (missing === 0) replace()
          for (const key of strange) {
            then<Uint8Array[]>(tables.updates.get(key), (updates) => {
              absorb(updates)
              if (--missing === 0) replace()
            })
          }
        })
      })
    })
  }

  /** Goes on if the document is still the one that was loaded, and of the generation, or of none yet. */
  #check(tables: Tables, then: Then, { generation, access }: Beside, goOn: () => void): void {
    then<DocumentRecord | undefined>(tables.documents.get(this.#key), (found) => {
      if (found?.epoch !== this.#epoch) throw forgotten()
      checkGeneration(found, generation)
      if (generation ?? access) {
        const record = { generation: generation ?? found.generation, access: access ?? found.access ?? null }
        tables.documents.put({ ...found, ...record }, this.#key)
      }
      goOn()
    })
  }

  #nextKey(): UpdateKey {
    return [this.#epoch, Date.now(), this.#writer, this.#count++]
  }
}

const checkGeneration = ({ generation }: DocumentRecord, ours: string | null): void => {
  if (ours === null || generation === null || ours === generation) return
  throw new InkwireError('INKWIRE_DEVICE_CONFLICT', `this device holds generation ${generation}, not ${ours}`)
}

/**
 * Deletes content that belongs to no document: what tabs had written after theirs was deleted, and were closed
 * before they could take it back.
 */
export const sweep = ({ documents, updates, unsaved }: Tables, then: Then): void => {
  then<DocumentRecord[]>(documents.getAll(), (records) => {
    const live = new Set(records.map(({ epoch }) => epoch))
    for (const table of [updates, unsaved]) {
      then(table.openKeyCursor(), (cursor) => {
        if (!cursor) return
        const [epoch] = cursor.key as [string]
        if (!live.has(epoch)) table.delete(keysOf(epoch))
        cursor.continue([epoch, []])
      })
    }
  })
}
