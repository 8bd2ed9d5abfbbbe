import { createMirror } from './mirror.js'
import type { AwarenessLike } from './options.js'
import type { Selection, TextElement } from './selection.js'

/**
 * `div` clips, `p` is the mirror, `i` a piece of a selection, `b` a caret, `a` its name. The colours keep
 * hue and strength of the user's, but not the lightness: that of carets stands out from dark and from light
 * backgrounds, that of names from white letters.
 */
const CSS = `:host{all:initial!important;position:absolute!important;pointer-events:none!important}
div,i,b,a{position:absolute;overflow:hidden}
p{margin:0;box-sizing:border-box;visibility:hidden}
p div{position:static}
i,b{background:oklch(from currentColor .62 min(c,.14) h);min-width:2px}
i{opacity:.3}
b{margin-left:-1px;overflow:visible}
a{bottom:100%;padding:0 4px;max-width:16em;font:12px/16px system-ui,sans-serif;white-space:nowrap;text-overflow:ellipsis;background:oklch(from currentColor .5 min(c,.14) h);-webkit-text-fill-color:#fff;animation:a 3s forwards}
@keyframes a{90%{opacity:1}to{opacity:0}}
@media(prefers-reduced-motion){a{animation-timing-function:step-end}}`

/**
 * Draws the carets, selections and names of the others over an element, in a layer of its own that takes no
 * room and no clicks. It is in the page only while there is somebody to show.
 *
 * @param locate where in the element's value a selection lies that somebody published; `null` if nowhere
 */
export const createLayer = (
  awareness: AwarenessLike,
  element: TextElement,
  locate: (cursor: unknown) => Selection | null,
): { draw(): void; remove(): void } => {
  const host = create('inkwire-cursors')
  host.ariaHidden = 'true'
  const root = host.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet() // no business of a content security policy, as a style element would be
  sheet.replaceSync(CSS)
  root.adoptedStyleSheets = [sheet]
  const mirror = createMirror(element)
  const marks = create('u')
  root.append(mirror.node, marks)
  /** What each client published last, and since when: its name is shown for a while after that. */
  let known = new Map<number, readonly [published: string, since: number]>()

  const draw = () => {
    const now = Date.now()
    const news: typeof known = new Map()
    const nodes: HTMLElement[] = []
    let middle = 0
    for (const [client, { cursor, user }] of awareness.getStates()) {
      const selection = client !== awareness.clientID && element.isConnected && locate(cursor)
      if (!selection) continue
      if (!news.size) {
        if (element.nextSibling !== host) element.after(host)
        const { x, y, width } = element.getBoundingClientRect()
        const { clientLeft, clientTop, clientWidth, clientHeight } = element
        middle = x + width / 2
        place(mirror.node, new DOMRect(x + clientLeft, y + clientTop, clientWidth, clientHeight))
        mirror.update()
      }
      const published = JSON.stringify([cursor, user])
      const old = known.get(client)
      const entry = old?.[0] === published ? old : ([published, now] as const)
      news.set(client, entry)

      const { name, color } = Object(user)
      const text = (value: unknown) => (typeof value === 'string' ? value : '')
      const mark = (tag: string, box: DOMRect) => {
        const node = create(tag)
        place(node, box, `hsl(${(client * 137) % 360} 80% 50%)`)
        node.style.color = text(color) // changes nothing if it is none
        nodes.push(node)
        return node
      }
      const { start, end, direction } = selection
      if (start < end) for (const box of mirror.boxes(start, end)) mark('i', box)
      const at = direction === 'backward' ? start : end
      for (const box of mirror.boxes(at, at).slice(0, 1)) {
        const label = mark('b', box).appendChild(create('a'))
        label.textContent = text(name)
        label.style.animationDelay = `${entry[1] - now}ms`
        if (box.x > middle) label.style.right = '0'
      }
    }
    known = news
    marks.replaceChildren(...nodes)
    if (!news.size) host.remove()
  }

  /** Puts a node where `box` is on the screen. */
  const place = (node: HTMLElement, box: DOMRect, colour = '') => {
    const { x, y } = host.getBoundingClientRect()
    node.style.cssText = `left:${box.x - x}px;top:${box.y - y}px;width:${box.width}px;height:${box.height}px;color:${colour}`
  }

  return { draw, remove: () => host.remove() }
}

const create = (tag: string): HTMLElement => document.createElement(tag)
