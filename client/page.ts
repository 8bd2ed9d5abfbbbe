/** What the browser tells a page about itself. */
export interface PageHandlers {
  /** The network may be back, or timers may have slept. */
  wake(): void
  /**
   * The page goes away.
   *
   * @param kept it may come back from the back/forward cache, where nothing of it runs.
   */
  hide(kept: boolean): void
  /** The page is here (again). */
  show(): void
}

/** Whether nobody can see the page; outside of a browser there is none, and this is false. */
export const isHidden = (): boolean => globalThis.document?.visibilityState === 'hidden'

/**
 * Watches the page; outside of a browser there is none, and nothing happens.
 *
 * @returns how to stop it.
 */
export const watchPage = ({ wake, hide, show }: PageHandlers): (() => void) | undefined => {
  if (!globalThis.addEventListener) return undefined
  const stop = new AbortController()
  const on = (type: string, listener: (event: { readonly persisted: boolean }) => void): void =>
    addEventListener(type, listener as (event: object) => void, { signal: stop.signal })
  on('online', wake)
  on('visibilitychange', () => isHidden() || wake())
  on('pagehide', ({ persisted }) => hide(persisted))
  on('pageshow', () => {
    show()
    wake()
  })
  return () => stop.abort()
}

/**
 * Makes a function that says whether the browser is to ask before the page is left; browsers do so once the user has
 * done something in it. One for each caller, since several may need it.
 */
export const leaveWarning = (): ((needed: boolean) => void) => {
  const warn = (event: Event): void => event.preventDefault()
  // A listener that is always there keeps the page out of some browsers' back/forward cache.
  return (needed) => globalThis[needed ? 'addEventListener' : 'removeEventListener']?.('beforeunload', warn)
}
