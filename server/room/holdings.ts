import type { Counters } from '../observe/counters.js'

/** Something that holds what it can get again. */
export interface Holder {
  /** About how many bytes {@link drop} gives back. */
  readonly held: number
  /** Lets go of all that can be had again. */
  drop(): void
}

/** What is told of whatever a {@link Holder} holds. */
export interface Keeper {
  /** It was of use just now. */
  used(holder: Holder): void
  /** What it holds has become more or less. */
  changed(holder: Holder): void
  /** It is gone. */
  forget(holder: Holder): void
}

/** Keeps everything. */
export const EVERYTHING: Keeper = { used: () => {}, changed: () => {}, forget: () => {} }

/**
 * A budget of memory for what could be had again: what was of use longest ago goes first. One that is larger than the
 * budget goes alone, before it drives out all others.
 *
 * It is looked at after the turn of the event loop: whoever is being served may use what is here until then.
 */
export class Holdings implements Keeper {
  readonly #budget: number
  readonly #soon: (task: () => void) => void
  readonly #counters: Counters
  /** Bytes of each; the one that was of use longest ago first. */
  readonly #holders = new Map<Holder, number>()
  /** Those that the whole budget wouldn't do for. */
  readonly #tooLarge = new Set<Holder>()
  #bytes = 0
  #armed = false

  /**
   * @param budget bytes.
   * @param soon runs a task after the present turn: `setImmediate`.
   */
  constructor(budget: number, soon: (task: () => void) => void, counters: Counters) {
    this.#budget = budget
    this.#soon = soon
    this.#counters = counters
  }

  used(holder: Holder): void {
    this.forget(holder)
    this.#put(holder)
  }

  changed(holder: Holder): void {
    this.#put(holder)
  }

  forget(holder: Holder): void {
    this.#add(-(this.#holders.get(holder) ?? 0))
    this.#holders.delete(holder)
    this.#tooLarge.delete(holder)
  }

  #put(holder: Holder): void {
    const bytes = holder.held
    if (bytes === 0) {
      this.forget(holder)
      return
    }
    this.#add(bytes - (this.#holders.get(holder) ?? 0))
    this.#holders.set(holder, bytes)
    if (bytes > this.#budget) this.#tooLarge.add(holder)
    else this.#tooLarge.delete(holder)
    if (this.#bytes <= this.#budget || this.#armed) return
    this.#armed = true
    this.#soon(() => {
      this.#armed = false
      this.#settle()
    })
  }

  #add(bytes: number): void {
    this.#bytes += bytes
    this.#counters.heldBytes = this.#bytes
  }

  #settle(): void {
    for (const holder of this.#tooLarge) this.#drop(holder)
    for (const holder of this.#holders.keys()) {
      if (this.#bytes <= this.#budget) return
      this.#drop(holder)
    }
  }

  #drop(holder: Holder): void {
    this.forget(holder)
    holder.drop()
    this.#counters.drops++
  }
}
