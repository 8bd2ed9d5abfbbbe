import { createLayer } from './layer.js'
import type { AwarenessChanges, AwarenessLike } from './options.js'
import type { RelativeSelection, Selection, TextElement } from './selection.js'

/**
 * Publishes what is selected in an element as `cursor` of the awareness state, nothing while another element
 * is the active one, and draws what others publish. Both happen at most once a frame. Several bindings may
 * share an awareness: none takes back what another has published.
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
  const moved = new Map<number, number>()
  const { host, draw } = createLayer(awareness, element, locate, moved)
  let published: RelativeSelection | null = null
  let due = false

  const publish = () => {
    const active = (element.getRootNode() as Document).activeElement === element && !signal.aborted
    const cursor = active ? selected() : null
    if (JSON.stringify(cursor) === JSON.stringify(published)) return
    const mine = awareness.getLocalState()?.cursor === published
    published = cursor
    if (cursor || mine) awareness.setLocalStateField('cursor', cursor)
  }
  const update = () => {
    if (due) return
    due = true
    requestAnimationFrame(() => {
      due = false
      publish()
      if (!signal.aborted) draw()
    })
  }
  const onChange = ({ added, updated }: AwarenessChanges) => {
    for (const client of [...added, ...updated]) moved.set(client, Date.now())
    update()
  }

  for (const type of ['selectionchange', 'keyup', 'pointerup', 'focus', 'blur', 'scroll']) on(type, update)
  window.addEventListener('resize', update, { signal })
  document.fonts.addEventListener('loadingdone', update, { signal })
  const observer = new ResizeObserver(update) // also tells when the element is removed or added
  observer.observe(element)
  awareness.on('change', onChange)
  signal.addEventListener('abort', () => {
    observer.disconnect()
    awareness.off('change', onChange)
    host.remove()
    publish()
  })
  return update
}
