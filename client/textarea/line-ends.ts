import type { Change } from './change.js'
import type { Splice } from './diff.js'

/**
 * What an element makes of a text. The value of a textarea has LF only: it shows CR LF and a lone CR as LF.
 * An input has one line: it drops them all. The shared text keeps what it holds, so indices differ.
 */
export type Lines = 'multi' | 'single'

/** The text as the element shows it. */
export const toValue = (text: string, lines: Lines): string =>
  lines === 'multi' ? text.replace(/\r\n?/g, '\n') : text.replace(/[\r\n]+/g, '')

/** The index of the value that belongs to an index of the text. */
export const toValueIndex = (text: string, index: number, lines: Lines): number =>
  toValue(text.slice(0, index), lines).length

/**
 * The index of the text that belongs to an index of the value; never between CR and LF. In an input, an
 * index may have dropped line ends on its right: with `right` it lies behind them.
 */
export const toTextIndex = (text: string, index: number, lines: Lines, right = false): number => {
  let hidden = 0
  for (const { index: at } of text.matchAll(lines === 'multi' ? /\r(?=\n)/g : /[\r\n]/g)) {
    const shown = at - hidden
    if (shown > index || (shown === index && !(right && lines === 'single'))) break
    hidden++
  }
  return index + hidden
}

/** An edit of the value as a change of the text. It never inserts a CR. */
export const toTextChange = (text: string, { start, end, insert }: Splice, lines: Lines): Change => {
  let from = toTextIndex(text, start, lines, start < end)
  const to = toTextIndex(text, end, lines)
  let inserted = insert.replace(/\p{Surrogate}/gu, '\ufffd')
  // A lone CR that comes to stand before an LF would make one line end of two.
  if (lines === 'multi' && text[from - 1] === '\r' && (inserted || text.slice(to)).startsWith('\n')) {
    from--
    inserted = `\n${inserted}`
  }
  return [from, from - to, inserted]
}
