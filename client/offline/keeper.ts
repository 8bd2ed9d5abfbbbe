/**
 * One tab of all that have a document open puts its stored updates together; the others only add. The
 * browser's lock passes on by itself when that tab goes. Where there are no locks (pages without TLS), each
 * tab does it: transactions keep that right, it is only done more often.
 *
 * @param elected called when this tab is the one.
 * @returns how to stand down.
 */
export const runForKeeper = (key: string, elected: () => void): (() => void) => {
  const stop = new AbortController()
  const { promise, resolve } = deferred()
  const locks: LockManager | undefined = globalThis.navigator?.locks
  if (!locks) elected()
  else {
    locks
      .request(`inkwire:${key}`, { signal: stop.signal }, () => {
        if (stop.signal.aborted) return
        elected()
        return promise
      })
      // Stood down before it was its turn, or the page may not have locks: another tab does it.
      .catch(() => {})
  }
  return () => {
    stop.abort()
    resolve()
  }
}

const deferred = (): { promise: Promise<void>; resolve: () => void } => {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
