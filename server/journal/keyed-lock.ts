/** Runs tasks with the same key one after the other, and tasks with different keys side by side. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `task` when all earlier ones with this key have ended, however they ended. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const turn = before ? before.then(task, task) : task()
    this.#last.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
  }

  /** Resolves when no task runs any more. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.allSettled(this.#last.values())
  }
}
