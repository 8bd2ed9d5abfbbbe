/** Why the messages that come now aren't dealt with. */
type Wait =
  | { readonly for: 'nothing' }
  /** The first of them is an update that waits for something from others, which comes in time or never. */
  | { readonly for: 'others'; readonly messages: Uint8Array[]; readonly timer: NodeJS.Timeout }
  /** The client has asked something, and what it says next must not be in the answer. An answer is sure to come. */
  | { readonly for: 'answer'; readonly messages: Uint8Array[] }

/**
 * What a client has said that has to wait, in order: an update, for somebody else's edits (PROTOCOL S7) or for initial
 * content (X9), and all that comes after it; or what comes before an answer is given (S4).
 */
export class HeldMessages {
  readonly #timeoutMs: number
  readonly #tooLong: () => void
  #wait: Wait = { for: 'nothing' }

  /** @param tooLong called when an update has waited for `timeoutMs`. */
  constructor(timeoutMs: number, tooLong: () => void) {
    this.#timeoutMs = timeoutMs
    this.#tooLong = tooLong
  }

  /** Whether messages that come now have to wait. */
  get any(): boolean {
    return this.#wait.for !== 'nothing'
  }

  /** Whether they wait for nothing but an answer. */
  get forAnswer(): boolean {
    return this.#wait.for === 'answer'
  }

  /** This update has to wait for others; what comes now, behind it. */
  start(message: Uint8Array): void {
    const timer = setTimeout(this.#tooLong, this.#timeoutMs)
    this.#wait = { for: 'others', messages: [message], timer }
  }

  /** What comes now has to wait until the client has been answered. */
  behindAnswer(): void {
    this.#wait = { for: 'answer', messages: [] }
  }

  /** Keeps a message if it has to wait; returns whether it has. */
  keep(message: Uint8Array): boolean {
    if (this.#wait.for === 'nothing') return false
    this.#wait.messages.push(message)
    return true
  }

  /** The wait is over: gives all of it, in order. */
  release(): readonly Uint8Array[] {
    this.dispose()
    const wait = this.#wait
    this.#wait = { for: 'nothing' }
    return wait.for === 'nothing' ? [] : wait.messages
  }

  /** Nobody is told any more that it takes too long. */
  dispose(): void {
    if (this.#wait.for === 'others') clearTimeout(this.#wait.timer)
  }
}
