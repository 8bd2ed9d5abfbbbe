import type { TextElement } from './selection.js'

/** A copy of an element's text that is laid out like it and can be asked where characters are. */
export interface Mirror {
  /** Has to be put over the element's padding box. */
  readonly node: HTMLElement
  /** Takes over text, style and scroll position of the element. */
  update(): void
  /**
   * Where on the screen the characters from `start` to `end` of the element's value are, or the caret if
   * both are the same: a box or more for each line, cut to what is in sight.
   */
  boxes(start: number, end: number): DOMRect[]
}

/** Everything that bears on where characters go. */
const STYLES = /^(font|text|letter|word|line|white|tab|direction|hyph|padding|overflow-wrap|writing)/

/**
 * Each line is a node of its own, so that an edit makes the browser lay out one line again, not the whole
 * text. Browsers offer no way to ask a textarea itself.
 */
export const createMirror = (element: TextElement): Mirror => {
  const node = document.createElement('div')
  const copy = node.appendChild(document.createElement('p'))
  let lines: string[] = []

  const update = () => {
    const style = getComputedStyle(element)
    for (const name of style)
      if (STYLES.test(name)) copy.style.setProperty(name, style.getPropertyValue(name))
    if (element.localName === 'input') {
      copy.style.whiteSpace = 'pre'
      copy.style.alignContent = 'center' // a textarea's text starts at its top
    }
    // A fraction of a pixel, which the client width leaves out, may decide where a line is broken.
    const fraction = element.getBoundingClientRect().width - element.offsetWidth
    copy.style.width = `${element.clientWidth + fraction}px`
    copy.style.height = `${element.clientHeight}px`

    const next = element.value.split('\n')
    const shorter = Math.min(lines.length, next.length)
    let first = 0
    while (first < shorter && lines[first] === next[first]) first++
    let last = 0
    while (last < shorter - first && lines.at(~last) === next.at(~last)) last++
    for (let count = lines.length - last; count > first; count--) copy.children[first]?.remove()
    const rest = copy.children[first] ?? null
    for (const line of next.slice(first, next.length - last)) {
      const row = document.createElement('div')
      row.append(line || '\u200b') // an empty line has a height too
      copy.insertBefore(row, rest)
    }
    lines = next
    node.scrollTo(element.scrollLeft, element.scrollTop)
  }

  const boxes = (start: number, end: number) => {
    const found: DOMRect[] = []
    const area = node.getBoundingClientRect()
    const range = document.createRange()
    let from = 0
    lines.forEach((line, index) => {
      const to = from + line.length
      const row = copy.children[index]
      if (row?.firstChild && start <= to && end >= from) {
        const { top, bottom } = row.getBoundingClientRect()
        if (top < area.bottom && bottom > area.top) {
          range.setStart(row.firstChild, Math.max(start - from, 0))
          range.setEnd(row.firstChild, Math.min(end, to) - from)
          for (const box of range.getClientRects()) {
            const [x, y] = [Math.max(box.x, area.x), Math.max(box.y, area.y)]
            const width = Math.min(box.right, area.right) - x
            const height = Math.min(box.bottom, area.bottom) - y
            if (width >= 0 && height > 0) found.push(new DOMRect(x, y, width, height))
          }
        }
      }
      from = to + 1
    })
    return found
  }

  return { node, update, boxes }
}
