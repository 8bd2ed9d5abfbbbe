import type { Change } from './change.js'
import type { Splice } from './diff.js'

/**
 * What an element does not show of a text, as a pattern. The value of a textarea has LF only: it shows CR LF
 * and a lone CR as LF. An input has one line: it drops all line ends. The shared text keeps what it holds,
 * so that indices differ.
 */
export type Hidden = typeof HIDDEN_IN_TEXTAREA | typeof HIDDEN_IN_INPUT

export const HIDDEN_IN_TEXTAREA = /\r(?=\n)/g
export const HIDDEN_IN_INPUT = /[\r\n]/g

/** The text as the element shows it. */
export const toValue = (text: string, hidden: RegExp): string => text.replace(hidden, '').replace(/\r/g, '\n')

/** The index of the text that belongs to an index of the value: before what is hidden there. */
export const toTextIndex = (text: string, index: number, hidden: RegExp): number => {
  let at = index
  for (const match of text.matchAll(hidden)) if (match.index < at) at++
  return at
}

/**
 * An edit of the value as a change of the text. It never inserts a CR, and no half of a surrogate pair, which
 * the others would get as U+FFFD. An LF typed right behind a lone CR makes one line end with it.
 */
export const toTextChange = (text: string, [from, minusRemoved, typed]: Splice, hidden: RegExp): Change => {
  const start = toTextIndex(text, from, hidden)
  const end = toTextIndex(text, from - minusRemoved, hidden)
  return [start, start - end, typed.replace(/\p{Cs}/gu, '\ufffd')]
}
