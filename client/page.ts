/** What the browser tells a page about itself. */
export interface PageHandlers {
  /** The network may be back, or timers may have slept. */
  wake(): void
  /** The page goes away; it may come back from the back/forward cache. */
  hide(): void
  /** The page is here (again). */
  show(): void
}

/**
 * Watches the page; outside of a browser there is none, and nothing happens.
 *
 * @returns how to stop it.
 */
export const watchPage = ({ wake, hide, show }: PageHandlers): (() => void) => {
  if (typeof addEventListener === 'undefined') return () => {}
  const stop = new AbortController()
  const on = (type: string, listener: () => void): void =>
    addEventListener(type, listener, { signal: stop.signal })
  on('online', wake)
  on('visibilitychange', wake)
  on('pagehide', hide)
  on('pageshow', () => {
    show()
    wake()
  })
  return () => stop.abort()
}
