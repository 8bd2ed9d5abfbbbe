/** What is made room for at first, bytes. */
const FIRST_BYTES = 4096

/**
 * Bytes that come in pieces, put together. It takes memory in proportion to what has come, however small the pieces
 * are and however much was announced.
 */
export class Gathered {
  readonly #most: number
  #bytes: Uint8Array
  #length = 0

  /** @param most how much comes at most. */
  constructor(most: number) {
    this.#most = most
    this.#bytes = new Uint8Array(Math.min(most, FIRST_BYTES))
  }

  /** How much has come. */
  get length(): number {
    return this.#length
  }

  /** Copies a piece. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, Math.min(this.#most, this.#bytes.length * 2)))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /** All of it. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}
