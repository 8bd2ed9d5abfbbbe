/** A function that is called often, and what it does not so often. */
export interface Throttled<Value> {
  /** At once if nothing went out lately; else the latest value goes out when the interval is over. */
  push(value: Value): void
  /** Drops what waits. */
  cancel(): void
}

/**
 * Lets a value through at most once per interval, the last one always.
 *
 * @param intervalMs ms between two calls of `send`
 */
export const throttle = <Value>(intervalMs: number, send: (value: Value) => void): Throttled<Value> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let waiting: { readonly value: Value } | null = null
  const over = (): void => {
    timer = undefined
    const next = waiting
    waiting = null
    if (next) go(next.value)
  }
  const go = (value: Value): void => {
    timer = setTimeout(over, intervalMs)
    send(value)
  }
  return {
    push(value) {
      if (timer === undefined) go(value)
      else waiting = { value }
    },
    cancel() {
      clearTimeout(timer)
      timer = undefined
      waiting = null
    },
  }
}
