import { apply } from './change.js'
import { diff } from './diff.js'
import type { TextElement } from './selection.js'

/** A copy of an element's text that is laid out like it and can be asked where characters are. */
export type Mirror = readonly [
  /** Has to be put over the element's padding box before each update. */
  node: HTMLElement,
  /** Takes over text, style and scroll position of the element. */
  update: () => void,
  /**
   * Where on the screen the characters from `start` to `end` of the element's value are, or the caret if
   * both are the same: a box or more for each line, cut to what is in sight.
   */
  boxesOf: (start: number, end: number) => DOMRect[],
]

/** Names of all properties that bear on where characters go, and of some that don’t matter: each costs bytes. */
const STYLES = /^(dir|font|hy|[lt][aei]|pad|un|w[oh])|wrap/

/**
 * Up to 50 lines, each with its end. They make a block of their own, so that an edit costs the layout of one
 * block, not of the whole text.
 */
const PIECES = /([^\n]*\n){1,50}|[^\n]+/g

/** A tag of its own: no rule of the page means it. */
export const create = (): HTMLElement => document.createElement('inkwire-cursors')

/** Browsers offer no way to ask a textarea itself. */
export const createMirror = (element: TextElement): Mirror => {
  const node = create()
  const copy = node.appendChild(create())
  const style = copy.style
  const range = new Range()
  let text = ''
  copy.style = 'all:initial;display:block;box-sizing:border-box;visibility:hidden;min-height:100%'

  const update = () => {
    const original = getComputedStyle(element)
    for (const name of original)
      if (STYLES.test(name)) style.setProperty(name, original.getPropertyValue(name))
    if (element.localName === 'input') {
      style.whiteSpace = 'pre'
      style.placeContent = 'center'
    }
    const next = `${element.value}\u200b` // the last line may be empty: it has a height too
    if (text !== next) {
      const [start, minusRemoved, insert] = diff(text, next)
      text = next
      let at = 0
      let from = 0
      let data = ''
      let rest: Element | null = null
      for (const block of [...copy.children]) {
        const piece = block.firstChild as Text
        const to = at + piece.length
        if (to <= start) from = to
        else if (at <= start - minusRemoved) {
          data += piece.data
          block.remove()
        } else rest ??= block
        at = to
      }
      for (const piece of apply(data, [start - from, minusRemoved, insert]).match(PIECES) ?? []) {
        const block = create()
        // `all` leaves out what decides on the direction of each paragraph (`dir=auto`).
        block.style = 'all:inherit;unicode-bidi:inherit;padding:0'
        block.append(piece)
        copy.insertBefore(block, rest)
      }
    }
    node.scrollTo(element.scrollLeft, element.scrollTop)
  }

  const boxesOf = (start: number, end: number) => {
    const area = node.getBoundingClientRect()
    let at = 0
    return [...copy.children].flatMap((block) => {
      const piece = block.firstChild as Text
      const from = at
      at += piece.length
      if (start >= at || (end <= from && start < from)) return []
      range.setStart(piece, Math.max(start - from, 0))
      range.setEnd(piece, Math.min(end, at) - from)
      return [...range.getClientRects()].flatMap((box) => {
        const x = Math.max(box.x, area.x)
        const y = Math.max(box.y, area.y)
        const width = Math.min(box.right, area.right) - x
        const height = Math.min(box.bottom, area.bottom) - y
        return width < 0 || height <= 0 ? [] : new DOMRect(x, y, width, height)
      })
    })
  }

  return [node, update, boxesOf]
}
