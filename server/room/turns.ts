/** Something that flushes at the end of a turn of the event loop. */
export interface Flushable {
  flush(): void
}

/** Hands in what a turn's end and a delay are, so that tests own the time. */
export interface TurnSource {
  /** Runs `task` once the present turn's input has been read. */
  soon(task: () => void): void
  /** Runs `task` after `ms`; returns how to call it off. */
  later(task: () => void, ms: number): () => void
}

/** The real thing. `setImmediate` runs after all sockets that were readable in this turn have been read. */
const nodeTurns: TurnSource = {
  soon: (task) => void setImmediate(task),
  later: (task, ms) => {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * Gathers what became dirty during a turn of the event loop, so that everything that arrived in it goes out
 * together: one for the whole server.
 */
export class Turns {
  readonly #source: TurnSource
  #dirty = new Set<Flushable>()
  #armed = false

  constructor(source: TurnSource = nodeTurns) {
    this.#source = source
  }

  /** `flushable.flush()` is called at the end of this turn, once however often it is asked for. */
  soon(flushable: Flushable): void {
    this.#dirty.add(flushable)
    if (this.#armed) return
    this.#armed = true
    this.#source.soon(() => {
      this.#armed = false
      const dirty = this.#dirty
      this.#dirty = new Set()
      for (const each of dirty) each.flush()
    })
  }

  /** `flushable.flush()` is called after `ms`; the returned function calls it off. */
  later(flushable: Flushable, ms: number): () => void {
    return this.#source.later(() => flushable.flush(), ms)
  }
}
