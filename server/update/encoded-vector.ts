import { type encodeStateVector, sortedClients } from './state-vector.js'
import { uintSize, Writer } from './writer.js'

/** Entries in a block when it is made; at twice as many it becomes two. */
const BLOCK = 512
/** When more than one entry in this many has changed, all of it is made anew. */
const SPARSE = 16

/** A piece of the vector. */
interface Block {
  /** Descending; never empty. */
  readonly clients: number[]
  /** Its entries as they are written; null once one of them has changed. */
  bytes: Uint8Array | null
}

/** What the vector is of. */
export interface VectorSource {
  /** The clock up to which a client's structs are held without a gap; it only grows. */
  readonly clock: (client: number) => number
  /** All of them. */
  readonly all: () => ReadonlyMap<number, number>
}

/**
 * A state vector, encoded, for a document that many have written in: a client id for each page that was ever loaded
 * makes 100,000 after some years, and to write and sort them takes 60 ms. After an edit, only the block in which that
 * client stands is written again.
 *
 * @example
 *   const vector = new EncodedVector(source)
 *   vector.encode() // all of it
 *   vector.touch(7) // client 7's clock has grown
 *   vector.encode() // a copy, but for one block
 */
export class EncodedVector {
  readonly #source: VectorSource
  #blocks: Block[] | null = null
  readonly #touched = new Set<number>()
  #count = 0

  constructor(source: VectorSource) {
    this.#source = source
  }

  /** A client's clock may have grown. */
  touch(client: number): void {
    if (this.#blocks) this.#touched.add(client)
  }

  /** As {@link encodeStateVector} writes it. */
  encode(): Uint8Array {
    const blocks = this.#upToDate()
    let size = uintSize(this.#count)
    for (const block of blocks) {
      block.bytes ??= this.#entriesOf(block)
      size += block.bytes.length
    }
    const writer = new Writer(size)
    writer.uint(this.#count)
    for (const { bytes } of blocks) if (bytes) writer.copy(bytes, 0, bytes.length)
    return writer.bytes
  }

  #upToDate(): Block[] {
    let blocks = this.#blocks
    if (blocks && this.#touched.size * SPARSE <= this.#count) {
      for (const client of this.#touched) this.#change(blocks, client)
    } else {
      const sorted = sortedClients(this.#source.all())
      this.#count = sorted.length
      blocks = this.#blocks = cut(sorted)
    }
    this.#touched.clear()
    return blocks
  }

  #change(blocks: Block[], client: number): void {
    // What lies behind a gap isn't in it.
    if (this.#source.clock(client) === 0) return
    const at = Math.max(0, firstBelow(blocks.length, (i) => (blocks[i]?.clients[0] ?? 0) < client) - 1)
    const block = blocks[at]
    if (!block) throw new RangeError('a vector without blocks is made anew')
    block.bytes = null
    const { clients } = block
    const place = firstBelow(clients.length, (i) => (clients[i] ?? 0) <= client)
    if (clients[place] === client) return
    clients.splice(place, 0, client)
    this.#count++
    if (clients.length >= 2 * BLOCK) blocks.splice(at + 1, 0, { clients: clients.splice(BLOCK), bytes: null })
  }

  #entriesOf({ clients }: Block): Uint8Array {
    const clocks = clients.map(this.#source.clock)
    let size = 0
    for (let i = 0; i < clients.length; i++) size += uintSize(clients[i] ?? 0) + uintSize(clocks[i] ?? 0)
    const writer = new Writer(size)
    for (let i = 0; i < clients.length; i++) {
      writer.uint(clients[i] ?? 0)
      writer.uint(clocks[i] ?? 0)
    }
    return writer.bytes
  }
}

const cut = (sorted: Float64Array): Block[] => {
  const blocks: Block[] = []
  for (let at = 0; at < sorted.length; at += BLOCK)
    blocks.push({ clients: [...sorted.subarray(at, at + BLOCK)], bytes: null })
  return blocks
}

/** The first of `count` for which `below` holds, which goes on to hold; `count` if there is none. */
const firstBelow = (count: number, below: (index: number) => boolean): number => {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (below(middle)) high = middle
    else low = middle + 1
  }
  return low
}
