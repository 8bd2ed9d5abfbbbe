/** What a client says before anything can be done with it, up to so many bytes. */
export class Backlog {
  readonly #messages: Uint8Array[] = []
  #bytes = 0

  /** All that is kept, in order. */
  get messages(): readonly Uint8Array[] {
    return this.#messages
  }

  /** Counts a message, kept or not; returns whether the client has said `most` bytes at most by now. */
  count(message: Uint8Array, most: number): boolean {
    this.#bytes += message.length
    return this.#bytes <= most
  }

  /** Keeps a message for later. */
  keep(message: Uint8Array): void {
    this.#messages.push(message)
  }
}
