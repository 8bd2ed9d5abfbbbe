/** What the browser tells a page about itself. */
export interface PageHandlers {
  /** The network is back, or the page is visible again: timers may have slept. */
  wake(): void
  /** The page goes away. It may come back from the back/forward cache. */
  hide(): void
  /** It came back. */
  show(): void
}

/**
 * Watches the page; outside of a browser there is none, and nothing happens.
 *
 * @returns how to stop it.
 */
export const watchPage = ({ wake, hide, show }: PageHandlers): (() => void) => {
  if (typeof window === 'undefined' || typeof window.addEventListener !== 'function') return () => {}
  const stop = new AbortController()
  const { signal } = stop
  window.addEventListener('online', wake, { signal })
  window.addEventListener('pagehide', hide, { signal })
  window.addEventListener(
    'pageshow',
    (event) => {
      if (!event.persisted) return
      show()
      wake()
    },
    { signal },
  )
  if (typeof document !== 'undefined') {
    document.addEventListener(
      'visibilitychange',
      () => {
        if (document.visibilityState === 'visible') wake()
      },
      { signal },
    )
  }
  return () => stop.abort()
}
