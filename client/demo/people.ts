import { initials } from './names.js'

/** Somebody who has the document open, as the page shows them. */
export interface Person {
  /** Of the awareness protocol: each window is one. */
  readonly id: number
  readonly name: string
  readonly initials: string
  /** One of {@link PALETTE}, or any other colour in CSS's six-digit form. */
  readonly color: string
}

/** What a window says about its user, in the field `user` of its awareness state. */
export interface User {
  readonly name: string
  readonly color: string
}

/** Colours that are told apart, each with enough contrast below white letters. */
export const PALETTE = [
  '#a74449',
  '#3e66b3',
  '#4f7715',
  '#914a8c',
  '#a24e10',
  '#007d86',
  '#6f57ab',
  '#8b6100',
  '#0072a8',
  '#007f4e',
] as const

const LONGEST_NAME = 40

/**
 * Everybody else who is here, in an order that doesn't change by itself. What others say about themselves may
 * be anything: whatever is no name or no colour is replaced.
 *
 * @param states of the awareness, by client id
 * @param ownId whose state to leave out
 */
export const readOthers = (
  states: ReadonlyMap<number, Readonly<Record<string, unknown>>>,
  ownId: number,
): readonly Person[] =>
  [...states]
    .filter(([id]) => id !== ownId)
    .map(([id, state]) => readPerson(id, state))
    .sort((a, b) => a.id - b.id)

/** One of them. @see readOthers */
export const readPerson = (id: number, { user }: Readonly<Record<string, unknown>>): Person => {
  const { name: says, color: wears } = Object(user) as Readonly<Record<string, unknown>>
  const name = (typeof says === 'string' ? cleanName(says, '…') : '') || 'Somebody'
  const color =
    typeof wears === 'string' && /^#[\da-f]{6}$/i.test(wears) ? wears : (PALETTE[id % PALETTE.length] ?? '')
  return { id, name, initials: initials(name), color }
}

/**
 * A name as it may be shown and sent: on one line, not too long, without blanks around it.
 *
 * @param end what stands for the rest of one that is too long
 */
export const cleanName = (name: string, end = ''): string => {
  const characters = [...name.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim()]
  if (characters.length <= LONGEST_NAME) return characters.join('')
  return `${characters
    .slice(0, LONGEST_NAME - end.length)
    .join('')
    .trim()}${end}`
}

/**
 * The colour to wear among others: one's own, unless somebody with a smaller id wears it; then the first that
 * nobody wears. All windows that decide like this end up with different colours, as long as there are enough.
 */
export const chooseColor = (mine: string, ownId: number, others: readonly Person[]): string => {
  const taken = others.some(({ id, color }) => id < ownId && color === mine)
  if (!taken) return mine
  return PALETTE.find((color) => others.every((other) => other.color !== color)) ?? mine
}
