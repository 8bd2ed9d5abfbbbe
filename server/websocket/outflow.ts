/** One who has more to send than goes out in one go. */
export interface Flowing {
  /**
   * Sends some of it: until `bytes` are sent, or the other end doesn't take more.
   *
   * @returns how many bytes, and whether there is more that could be sent now.
   */
  flow(bytes: number): { readonly written: number; readonly more: boolean }
}

/** What one of them sends before it is the next one's turn, bytes. */
const PIECE_BYTES = 256 * 1024
/** What all of them send in one turn of the event loop, bytes: a millisecond or two. */
const TURN_BYTES = 2 * 1024 * 1024

/**
 * Large answers go out piece by piece, everybody's in turn, a bounded part in each turn of the event loop. When a
 * hundred people open a large document at once, those who type elsewhere don't notice.
 */
export class Outflow {
  readonly #soon: (task: () => void) => void
  readonly #flowing = new Set<Flowing>()
  #armed = false

  /** @param soon runs a task after the event loop has looked at its sockets: `setImmediate`. */
  constructor(soon: (task: () => void) => void) {
    this.#soon = soon
  }

  /** It has something to send, and the other end takes it. */
  add(one: Flowing): void {
    this.#flowing.add(one)
    if (this.#armed) return
    this.#armed = true
    this.#soon(() => this.#turn())
  }

  /** It is gone. */
  delete(one: Flowing): void {
    this.#flowing.delete(one)
  }

  #turn(): void {
    this.#armed = false
    let left = TURN_BYTES
    for (const one of [...this.#flowing]) {
      if (left <= 0) break
      // To the end of the line.
      this.#flowing.delete(one)
      const { written, more } = one.flow(Math.min(PIECE_BYTES, left))
      left -= written
      if (more) this.#flowing.add(one)
    }
    const [next] = this.#flowing
    if (next) this.add(next)
  }
}
