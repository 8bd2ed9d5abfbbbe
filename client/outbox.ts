/**
 * Errors that belong to the app (a listener that throws, say) must not stop the exchange with the server:
 * they are reported where uncaught errors are.
 */
export const report = (error: unknown): void => (globalThis.reportError ?? console.error)(error)

/**
 * Calls to the outside wait here until a step of ours is complete, so that listeners find everything in
 * order, may call anything, and hear of what they caused afterwards.
 */
export class Outbox {
  readonly #calls: (() => void)[] = []
  #flushing = false

  add(call: () => void): void {
    this.#calls.push(call)
  }

  flush(): void {
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
