import { createLayer } from './layer.js'
import type { AwarenessLike } from './options.js'
import type { RelativeSelection, Selection, TextElement } from './selection.js'

/**
 * Publishes what is selected in an element as `cursor` of the awareness state, nothing while another element
 * is the active one, and draws what others publish. Both happen at most once a frame. Several bindings may
 * share an awareness: none takes back what another has published.
 *
 * @param selected what is selected now
 * @param locate where in the element's value something that was published lies; `null` if nowhere
 * @param signal ends it
 * @returns call it when something has moved
 */
export const shareCursors = (
  awareness: AwarenessLike,
  element: TextElement,
  selected: () => RelativeSelection | null,
  locate: (cursor: unknown) => Selection | null,
  signal: AbortSignal,
): (() => void) => {
  const layer = createLayer(awareness, element, locate)
  let published: RelativeSelection | null = null
  let frame = 0

  const publish = () => {
    const active = (element.getRootNode() as Document).activeElement === element && !signal.aborted
    const cursor = active ? selected() : null
    if (JSON.stringify(cursor) === JSON.stringify(published)) return
    const mine = awareness.getLocalState()?.cursor === published
    published = cursor
    if (cursor || mine) awareness.setLocalStateField('cursor', cursor)
  }
  const update = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0
      publish()
      layer.draw()
    })
  }

  const options = { signal }
  for (const type of ['selectionchange', 'select', 'keyup', 'pointerup', 'focus', 'scroll'])
    element.addEventListener(type, update, options)
  element.addEventListener('blur', publish, options) // a hidden page has no frames
  window.addEventListener('resize', update, options)
  document.fonts.addEventListener('loadingdone', update, options)
  const observer = new ResizeObserver(update) // also tells when the element is removed or added
  observer.observe(element)
  awareness.on('change', update)
  signal.addEventListener('abort', () => {
    cancelAnimationFrame(frame)
    observer.disconnect()
    awareness.off('change', update)
    layer.remove()
    publish()
  })
  return update
}
