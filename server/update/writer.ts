/** How many bytes `value` takes as a lib0 varUint: 1 to 8. */
export const uintSize = (value: number): number => {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/**
 * Writes to bytes of a size that was worked out before. Update parts are large and are measured first, then
 * copied once; a growing buffer would copy them again.
 */
export class Writer {
  readonly bytes: Uint8Array
  #pos = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  /** A lib0 varUint. */
  uint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.#pos++] = 0x80 | (rest % 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.#pos++] = rest
  }

  /** One byte as it is. */
  uint8(value: number): void {
    this.bytes[this.#pos++] = value
  }

  copy(source: Uint8Array, from: number, to: number): void {
    this.bytes.set(source.subarray(from, to), this.#pos)
    this.#pos += to - from
  }
}
