/**
 * What one client heard, byte for byte, to be looked at after the measurement. The room is made and touched before, so
 * that keeping a chunk is a copy, and no chunk lives on.
 */
export class Recording {
  #bytes: Buffer
  #size = 0

  /** @param expected bytes for which there is room at once */
  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafeSlow(expected).fill(0)
  }

  add(chunk: Buffer): void {
    const size = this.#size + chunk.length
    if (size > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(size * 2)
      this.#bytes.copy(larger, 0, 0, this.#size)
      this.#bytes = larger
    }
    chunk.copy(this.#bytes, this.#size)
    this.#size = size
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#size)
  }
}
