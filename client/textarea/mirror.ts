import { diff } from './diff.js'
import type { TextElement } from './selection.js'

/** A copy of an element's text that is laid out like it and can be asked where characters are. */
export interface Mirror {
  /** Has to be put over the element's padding box before each update. */
  readonly node: HTMLElement
  /** Takes over text, style and scroll position of the element. */
  update(): void
  /**
   * Where on the screen the characters from `start` to `end` of the element's value are, or the caret if
   * both are the same: a box or more for each line, cut to what is in sight.
   */
  boxes(start: number, end: number): DOMRect[]
}

/** How the names of all properties begin that bear on where characters go. */
const STYLES = /^(font|text|let|word|line|white|tab|dir|hyph|pad|overflow-wrap)/

/** A tag of its own: no rule of the page means it. */
export const create = (): HTMLElement => document.createElement('inkwire-cursors')

/** Browsers offer no way to ask a textarea itself. */
export const createMirror = (element: TextElement): Mirror => {
  const node = create()
  const text = node.appendChild(new Text())
  const range = new Range()

  const update = () => {
    const { style } = node
    const original = getComputedStyle(element)
    for (const name of original)
      if (STYLES.test(name)) style.setProperty(name, original.getPropertyValue(name))
    if (element.localName === 'input') {
      style.whiteSpace = 'pre'
      style.alignContent = 'center'
    }
    // Only what differs is written, or each letter would cost a layout of the whole text. The last line may
    // be empty: it has a height too.
    const [start, minusRemoved, insert] = diff(text.data, `${element.value}\u200b`)
    if (minusRemoved || insert) text.replaceData(start, -minusRemoved, insert)
    node.scrollTo(element.scrollLeft, element.scrollTop)
  }

  const boxes = (start: number, end: number) => {
    const area = node.getBoundingClientRect()
    range.setStart(text, start)
    range.setEnd(text, end)
    return [...range.getClientRects()].flatMap((box) => {
      const x = Math.max(box.x, area.x)
      const y = Math.max(box.y, area.y)
      const width = Math.min(box.right, area.right) - x
      const height = Math.min(box.bottom, area.bottom) - y
      return width < 0 || height <= 0 ? [] : new DOMRect(x, y, width, height)
    })
  }

  return { node, update, boxes }
}
