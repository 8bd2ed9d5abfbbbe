/** How many bytes `value` takes as a lib0 varUint: 1 to 8. */
export const uintSize = (value: number): number => {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Where an update is written to. */
export interface Sink {
  /** A lib0 varUint. */
  uint(value: number): void
  /** One byte as it is. */
  uint8(value: number): void
  /** Bytes `from` to `to` of another array. */
  copy(source: Uint8Array, from: number, to: number): void
}

/**
 * Writes to bytes of a size that was worked out before. Update parts are large and are measured first, then
 * copied once; a growing buffer would copy them again.
 */
export class Writer implements Sink {
  readonly bytes: Uint8Array
  #pos = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  /** How many bytes were written. */
  get pos(): number {
    return this.#pos
  }

  uint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.#pos++] = 0x80 | (rest % 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.#pos++] = rest
  }

  uint8(value: number): void {
    this.bytes[this.#pos++] = value
  }

  copy(source: Uint8Array, from: number, to: number): void {
    // A few bytes are copied faster by hand than by a view of them.
    if (to - from < 16) for (let at = from; at < to; at++) this.bytes[this.#pos++] = source[at] as number
    else {
      this.bytes.set(source.subarray(from, to), this.#pos)
      this.#pos += to - from
    }
  }
}

/** What comes in pieces of this size is referred to by {@link PartsWriter}, not copied, bytes. */
export const SHARED_BYTES = 4096

/**
 * Writes to parts that follow each other: large pieces are views of where they are already. To copy and allocate costs
 * a millisecond for each megabyte.
 */
export class PartsWriter implements Sink {
  readonly #own: Writer
  readonly #parts: Uint8Array[] = []
  #from = 0

  /** @param size bytes of all that is in smaller pieces. */
  constructor(size: number) {
    this.#own = new Writer(size)
  }

  /** All that was written. */
  get parts(): readonly Uint8Array[] {
    this.#cut()
    return this.#parts
  }

  uint(value: number): void {
    this.#own.uint(value)
  }

  uint8(value: number): void {
    this.#own.uint8(value)
  }

  copy(source: Uint8Array, from: number, to: number): void {
    if (to - from < SHARED_BYTES) {
      this.#own.copy(source, from, to)
      return
    }
    this.#cut()
    this.#parts.push(source.subarray(from, to))
  }

  #cut(): void {
    const { pos } = this.#own
    if (pos > this.#from) this.#parts.push(this.#own.bytes.subarray(this.#from, pos))
    this.#from = pos
  }
}
