/** Lets at most `free` holders in at a time; the others wait in order. */
export class Slots {
  readonly #waiting: { enter: () => void; refuse: (reason: Error) => void }[] = []
  #free: number

  constructor(free: number) {
    this.#free = free
  }

  /** Resolves when the caller may start; it calls {@link leave} once when done. */
  enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    return new Promise((enter, refuse) => this.#waiting.push({ enter, refuse }))
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next) next.enter()
    else this.#free++
  }

  /** Rejects everybody who waits. */
  refuseAll(reason: Error): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(reason)
  }
}
