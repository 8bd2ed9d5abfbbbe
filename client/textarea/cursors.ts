import { createLayer } from './layer.js'
import { listen } from './listen.js'
import type { AwarenessLike } from './options.js'
import type { RelativeSelection, Selection, TextElement } from './selection.js'

/**
 * Publishes what is selected in an element as `cursor` of the awareness state, nothing while another element
 * is the active one, and draws what others publish. Both happen at most once a frame.
 *
 * @param on listens to the element until the binding ends
 * @param selected what is selected now
 * @param locate where in the element's value something that was published lies; `null` if nowhere
 * @param signal ends it
 * @returns call it when something has moved
 */
export const shareCursors = (
  awareness: AwarenessLike,
  element: TextElement,
  on: (type: string, listener: () => void) => void,
  selected: () => RelativeSelection | null,
  locate: (cursor: unknown) => Selection | null,
  signal: AbortSignal,
): (() => void) => {
  const draw = createLayer(awareness, element, locate, signal)
  let published: RelativeSelection | null = null
  let frame = 0

  const refresh = () => {
    frame = 0
    const active = (element.getRootNode() as Document).activeElement === element && !signal.aborted
    const cursor = active ? selected() : null
    if (JSON.stringify(cursor) !== JSON.stringify(published)) {
      published = cursor
      awareness.setLocalStateField('cursor', cursor)
    }
    draw()
  }
  const update = () => {
    frame = frame || requestAnimationFrame(refresh)
  }

  for (const type of ['selectionchange', 'focus', 'scroll']) on(type, update)
  on('blur', refresh) // at once: the element that has the focus next may share the awareness
  document.fonts.addEventListener('loadingdone', update, { signal })
  const observer = new ResizeObserver(update) // also tells when the element is removed or added
  observer.observe(element)
  listen(signal, awareness, 'change', update)
  signal.addEventListener('abort', () => {
    observer.disconnect()
    refresh()
  })
  return update
}
