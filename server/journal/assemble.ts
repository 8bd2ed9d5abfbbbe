import type { Snapshot, StoredEntry } from './journal.js'
import { Layout } from './layout.js'
import { type Reading, readRecord } from './records.js'

/** A generation's records put together. `problems` is empty when nothing is wrong with it. */
export interface Assembled {
  readonly snapshot: Snapshot | null
  readonly tail: readonly StoredEntry[]
  readonly seq: number
  readonly layout: Layout
  readonly problems: readonly string[]
  /** The version of a record that this program can't read, or null. */
  readonly newer: number | null
  /** When the last record was written, milliseconds since 1970; 0 without one. */
  readonly lastWrite: number
}

/**
 * Puts a document together from the records of its generation, fed in key order (snapshots come before runs), and
 * checks all that can be checked without a witness: each record's checksum and form, that they belong to this
 * document, and that the updates follow the snapshot without a hole. Pure.
 *
 * Records that the snapshot covers are passed over: a compaction that was cut short may leave some.
 */
export class Assembler {
  readonly #name: Uint8Array
  readonly #problems: string[] = []
  readonly #layout: Layout
  readonly #tail: StoredEntry[] = []
  #snapshot: Snapshot | null = null
  #seq = 0
  #records = 0
  #newer: number | null = null
  #lastWrite = 0

  constructor(name: Uint8Array, generation: string) {
    this.#name = name
    this.#layout = new Layout(generation)
  }

  add(key: Uint8Array, value: Uint8Array): void {
    this.#records++
    this.#take(readRecord(key, value), value.length)
  }

  finish(): Assembled {
    if (this.#records === 0) this.#problems.push('its records are missing')
    return {
      snapshot: this.#snapshot,
      tail: this.#tail,
      seq: this.#seq,
      layout: this.#layout,
      problems: this.#problems,
      newer: this.#newer,
      lastWrite: this.#lastWrite,
    }
  }

  #take(reading: Reading, bytes: number): void {
    const where = describe(reading)
    if (reading.status === 'newer') {
      this.#newer = Math.max(this.#newer ?? 0, reading.version)
    } else if (reading.status === 'damaged') {
      this.#problems.push(`${where}: ${reading.problem}`)
    } else if (reading.record.kind === 'snapshot' && reading.key.kind === 'snapshot') {
      const { name, update, index, taken } = reading.record
      const { seq } = reading.key
      this.#checkName(name, where)
      this.#layout.addSnapshot({ seq, bytes })
      // Later keys are higher ones: of several, the last one counts.
      this.#snapshot = index ? { seq, update, index } : { seq, update }
      this.#seq = seq
      this.#lastWrite = Math.max(this.#lastWrite, taken)
    } else if (reading.record.kind === 'run' && reading.key.kind === 'run') {
      const { name, entries } = reading.record
      const first = reading.key.seq
      if (name) this.#checkName(name, where)
      this.#takeRun(first, entries, bytes, where)
    } else {
      this.#problems.push(`${where}: does not belong here`)
    }
  }

  #takeRun(
    first: number,
    entries: readonly { update: Uint8Array; time: number; author: string }[],
    bytes: number,
    where: string,
  ): void {
    const last = first + entries.length - 1
    this.#layout.addRun({ first, last, bytes })
    this.#lastWrite = Math.max(this.#lastWrite, entries.at(-1)?.time ?? 0)
    const covered = this.#snapshot?.seq ?? 0
    const expected = this.#seq + 1
    if (first > expected) this.#problems.push(missing(expected, first - 1))
    else if (first < expected && this.#seq > covered) this.#problems.push(`${where}: repeats earlier updates`)
    entries.forEach((entry, i) => {
      const seq = first + i
      if (seq > this.#seq) this.#tail.push({ ...entry, seq })
    })
    this.#seq = Math.max(this.#seq, last)
  }

  #checkName(name: Uint8Array, where: string): void {
    if (Buffer.compare(name, this.#name) !== 0) this.#problems.push(`${where}: belongs to another document`)
  }
}

/** @example missing(5, 9) // 'updates 5 to 9 are missing' */
export const missing = (first: number, last: number): string =>
  first === last ? `update ${first} is missing` : `updates ${first} to ${last} are missing`

const describe = ({ key }: Reading): string =>
  key.kind === 'run' || key.kind === 'snapshot' ? `${key.kind} ${key.seq}` : `record under a ${key.kind} key`
