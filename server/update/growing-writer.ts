/** Writes to bytes of a size that isn't known before. */
export class GrowingWriter {
  #bytes: Uint8Array
  #pos = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#pos
  }

  /** What was written: a view. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#pos)
  }

  /** One byte as it is. */
  uint8(value: number): void {
    this.#room(1)
    this.#bytes[this.#pos++] = value
  }

  /** A lib0 varUint. */
  uint(value: number): void {
    this.#room(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#pos++] = 0x80 | (rest % 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#pos++] = rest
  }

  copy(source: Uint8Array, from: number, to: number): void {
    this.#room(to - from)
    // A few bytes are copied faster by hand than by a view of them.
    if (to - from < 16) for (let at = from; at < to; at++) this.#bytes[this.#pos++] = source[at] as number
    else {
      this.#bytes.set(source.subarray(from, to), this.#pos)
      this.#pos += to - from
    }
  }

  #room(bytes: number): void {
    if (this.#pos + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#pos + bytes, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}
