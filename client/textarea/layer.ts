import { isText } from './change.js'
import { create, createMirror } from './mirror.js'
import type { AwarenessLike } from './options.js'
import type { Selection, TextElement } from './selection.js'

/** Keeps the page's own styles away. */
const ALONE = 'all:initial;position:absolute;'
/** Comes and goes at once, so that nobody has to prefer less motion. */
const NAME = `${ALONE}overflow:hidden;text-overflow:ellipsis;bottom:100%;max-width:20em;padding:0 3px;background:inherit;color:#000;font:12px sans-serif;white-space:pre;`

/**
 * Draws the carets, selections and names of the others over an element, in a layer of its own that takes no
 * room and no clicks. It is in the page only while there is somebody to show.
 *
 * @param locate where in the element's value a selection lies that somebody published; `null` if nowhere
 * @param signal once aborted, there is nobody to show any more
 * @returns draws what there is to see now
 */
export const createLayer = (
  awareness: AwarenessLike,
  element: TextElement,
  locate: (cursor: unknown) => Selection | null,
  signal: AbortSignal,
): (() => void) => {
  const host = create()
  host.style = ALONE
  host.inert = true // neither clicked, nor found, nor read aloud
  const [mirror, updateMirror, boxesOf] = createMirror(element)
  const marks = create()
  host.append(mirror, marks)

  /** Puts a node where `box` is on the screen. */
  const place = (node: HTMLElement, { x, y, width, height }: DOMRect, css: string) => {
    const origin = host.getBoundingClientRect()
    node.style = `${ALONE}left:${x - origin.x}px;top:${y - origin.y}px;width:${width}px;height:${height}px;${css}`
  }

  return () => {
    const nodes: HTMLElement[] = []
    const { x, y, width } = element.getBoundingClientRect()
    let shown = false
    for (const [client, { cursor, user }] of awareness.getStates()) {
      const selection =
        client !== awareness.clientID && element.isConnected && !signal.aborted && locate(cursor)
      if (!selection) continue
      if (!shown) {
        if (element.nextSibling !== host) element.after(host)
        place(
          mirror,
          new DOMRect(
            x + element.clientLeft,
            y + element.clientTop,
            // A fraction of a pixel, which the client width leaves out, may decide where a line is broken.
            element.clientWidth + width - element.offsetWidth,
            element.clientHeight,
          ),
          'overflow:hidden',
        )
        updateMirror()
      }
      shown = true
      const { name, color } = Object(user)
      const mark = (box: DOMRect, css: string, node = create()) => {
        place(node, box, `min-width:2px;background:gray;${css}`)
        // Hue and strength are the user's, but the lightness is medium: it stands out from dark and from light
        // backgrounds, and black letters can be read on it. What is no colour changes nothing.
        if (isText(color)) node.style.backgroundColor = `oklch(from ${color} .6 min(c,.15) h)`
        nodes.push(node)
        return node
      }
      const [start, end, direction] = selection
      if (start < end) for (const box of boxesOf(start, end)) mark(box, 'opacity:.3')
      const at = direction === 'backward' ? start : end
      // Where a line is broken the caret has two places, in an empty line it has none.
      const box = boxesOf(at, at).at(-1) ?? boxesOf(at, at + 1)[0]
      if (!box) continue
      const caret = mark(box, '')
      // A name is shown for three seconds after its owner has moved; the next drawing then leaves it out.
      if (isText(name) && Date.now() - (awareness.meta.get(client)?.lastUpdated as number) < 3000) {
        const label = create()
        label.style = NAME + (box.x > x + width / 2 ? 'right:0' : '')
        label.append(name)
        caret.append(label)
      }
    }
    marks.replaceChildren(...nodes)
    if (!shown) host.remove()
  }
}
