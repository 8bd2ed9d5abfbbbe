import { isText } from './change.js'
import { create, createMirror } from './mirror.js'
import type { AwarenessLike } from './options.js'
import type { Selection, TextElement } from './selection.js'

/** Keeps the page's own styles away. Nothing moves, so that nobody has to prefer less motion. */
const ALONE = 'all:initial;position:absolute;'

/**
 * A colour with hue and strength of the user's, but of medium lightness: it stands out from dark and from
 * light backgrounds, and black letters can be read on it.
 */
const CARET = 'min-width:2px;background:oklch(from currentColor .62 min(c,.14) h);'
const PIECE = `${CARET}opacity:.3`
const NAME = `${ALONE + CARET}color:inherit;-webkit-text-fill-color:#000;bottom:100%;max-width:16em;overflow:hidden;padding:0 4px;font:12px sans-serif;white-space:nowrap`

/**
 * Draws the carets, selections and names of the others over an element, in a layer of its own that takes no
 * room and no clicks. It is in the page only while there is somebody to show.
 *
 * @param locate where in the element's value a selection lies that somebody published; `null` if nowhere
 * @param moved when each client has moved last: its name is shown for a while after that
 */
export const createLayer = (
  awareness: AwarenessLike,
  element: TextElement,
  locate: (cursor: unknown) => Selection | null,
  moved: ReadonlyMap<number, number>,
): { readonly host: HTMLElement; draw(): void } => {
  const host = create()
  host.style.cssText = ALONE
  host.inert = true // neither clicked, nor found, nor read aloud
  const mirror = createMirror(element)
  const marks = create()
  host.append(mirror.node, marks)

  /** Puts a node where `box` is on the screen. */
  const place = (node: HTMLElement, { x, y, width, height }: DOMRect, css: string) => {
    const origin = host.getBoundingClientRect()
    node.style.cssText = `${ALONE}left:${x - origin.x}px;top:${y - origin.y}px;width:${width}px;height:${height}px;${css}`
  }

  const draw = () => {
    const nodes: HTMLElement[] = []
    const { x, y, width } = element.getBoundingClientRect()
    let shown = false
    for (const [client, { cursor, user }] of awareness.getStates()) {
      const selection = client !== awareness.clientID && element.isConnected && locate(cursor)
      if (!selection) continue
      if (!shown) {
        if (element.nextSibling !== host) element.after(host)
        const area = new DOMRect(
          x + element.clientLeft,
          y + element.clientTop,
          // A fraction of a pixel, which the client width leaves out, may decide where a line is broken.
          element.clientWidth + width - element.offsetWidth,
          element.clientHeight,
        )
        place(mirror.node, area, 'box-sizing:border-box;overflow:hidden;visibility:hidden')
        mirror.update()
      }
      shown = true
      const { name, color } = Object(user)
      const mark = (box: DOMRect, css: string) => {
        const node = create()
        place(node, box, css)
        if (isText(color)) node.style.color = color // changes nothing if it is none
        nodes.push(node)
        return node
      }
      const [start, end, direction] = selection
      if (start < end) for (const box of mirror.boxes(start, end)) mark(box, PIECE)
      const at = direction === 'backward' ? start : end
      // Where a line is broken the caret has two places, in an empty line it has none.
      const box = mirror.boxes(at, at).at(-1) ?? mirror.boxes(at, at + 1)[0]
      if (!box) continue
      const label = mark(box, CARET).appendChild(create())
      label.style.cssText = NAME
      if (box.x > x + width / 2) label.style.right = '0'
      if (isText(name)) label.textContent = name
      const delay = (moved.get(client) ?? 0) - Date.now()
      label.animate({ opacity: 0 }, { duration: 3000, delay, easing: 'step-end', fill: 'forwards' })
    }
    marks.replaceChildren(...nodes)
    if (!shown) host.remove()
  }

  return { host, draw }
}
