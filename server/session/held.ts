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

/**
 * An update message that has to wait, for somebody else's edits (PROTOCOL S7) or for initial content (X9), and all that
 * its author says after it: messages are dealt with in their order. Or what one says that waits for an answer.
 */
export class HeldMessages {
  readonly #timeoutMs: number
  readonly #tooLong: () => void
  #messages: Uint8Array[] | null = null
  #timer: NodeJS.Timeout | undefined

  /** @param tooLong called when a message has waited for `timeoutMs`. */
  constructor(timeoutMs: number, tooLong: () => void) {
    this.#timeoutMs = timeoutMs
    this.#tooLong = tooLong
  }

  /** Whether a message waits. */
  get any(): boolean {
    return this.#messages !== null
  }

  /** This message has to wait; those that come now, behind it. */
  start(message: Uint8Array): void {
    this.#messages = [message]
    this.#timer = setTimeout(this.#tooLong, this.#timeoutMs)
  }

  /** What comes now has to wait until the client has been answered. */
  behindAnswer(): void {
    this.#messages = []
  }

  /** Whether messages wait for nothing but an answer. */
  get forAnswer(): boolean {
    return this.any && this.#timer === undefined
  }

  /** Keeps a message if another waits before it; returns whether it did. */
  keep(message: Uint8Array): boolean {
    this.#messages?.push(message)
    return this.any
  }

  /** The wait is over: gives all of it, in order. */
  release(): readonly Uint8Array[] {
    const messages = this.#messages ?? []
    this.#messages = null
    this.dispose()
    return messages
  }

  /** Nobody waits any more. */
  dispose(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
