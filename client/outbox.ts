import type { InkwireEvents } from './options.js'

/**
 * Errors that belong to the app (a listener that throws, say) must not stop the exchange with the server:
 * they are reported where uncaught errors are.
 */
export const report = (error: unknown): void => (globalThis.reportError ?? console.error)(error)

/** Where events are put. */
export interface Teller {
  /** Emits an event, once the step at hand is complete. */
  tell<Name extends keyof InkwireEvents>(name: Name, ...args: Parameters<InkwireEvents[Name]>): void
}

/** What emits events to whoever listens now. */
interface Emitter {
  emit<Name extends keyof InkwireEvents>(name: Name, args: Parameters<InkwireEvents[Name]>): void
}

/**
 * Calls to the outside wait here until a step of ours is complete, so that listeners find everything in
 * order, may call anything, and hear of what they caused afterwards.
 */
export class Outbox implements Teller {
  readonly #calls: (() => void)[] = []
  #flushing = false
  readonly #emitter: Emitter
  readonly #settle: () => void

  /** @param settle finds out what else the step at hand has changed. */
  constructor(emitter: Emitter, settle: () => void) {
    this.#emitter = emitter
    this.#settle = settle
  }

  add(call: () => void): void {
    this.#calls.push(call)
  }

  tell<Name extends keyof InkwireEvents>(name: Name, ...args: Parameters<InkwireEvents[Name]>): void {
    this.add(() => this.#emitter.emit(name, args))
  }

  /** A step of ours is complete: tells everybody. */
  flush(): void {
    this.#settle()
    if (this.#flushing) return
    this.#flushing = true
    for (let call = this.#calls.shift(); call; call = this.#calls.shift()) {
      try {
        call()
      } catch (error) {
        report(error)
      }
    }
    this.#flushing = false
  }
}
