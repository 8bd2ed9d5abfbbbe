import { colorsOf, type UserColors } from './colors.js'

/**
 * Somebody else who is here. The same object until something about them changes.
 *
 * @example
 *   presence.others.get().map(({ name, color }) => avatar(name, color))
 */
export interface Person extends UserColors {
  /** Of the awareness protocol: each window is one. */
  readonly clientId: number
  /** On one line, at most 60 characters; `Somebody` for those who don't say. */
  readonly name: string
  /** All that they publish, as it came: anything may be in it. */
  readonly state: Readonly<Record<string, unknown>>
}

const LONGEST_NAME = 60
const COLOR = /^#[\da-f]{6}$/i

/**
 * Everybody else, in an order that doesn't change by itself.
 *
 * @param before the last list: whoever didn't change is the same object, and a list without news the same list
 */
export const readOthers = (
  states: ReadonlyMap<number, Readonly<Record<string, unknown>>>,
  ownId: number,
  before: readonly Person[],
): readonly Person[] => {
  const known = new Map(before.map((person) => [person.clientId, person]))
  const now = [...states]
    .filter(([id]) => id !== ownId)
    .sort(([a], [b]) => a - b)
    .map(([id, state]) => {
      const person = known.get(id)
      return person?.state === state ? person : toPerson(id, state)
    })
  return now.length === before.length && now.every((person, index) => person === before[index]) ? before : now
}

const toPerson = (clientId: number, state: Readonly<Record<string, unknown>>): Person => {
  const { name, color, colorOnDark } = Object(state.user) as Readonly<Record<string, unknown>>
  const own = colorsOf(String(clientId))
  const wears = isColor(color) ? color : own.color
  return {
    clientId,
    name: (typeof name === 'string' && cleanName(name)) || 'Somebody',
    color: wears,
    colorOnDark: isColor(colorOnDark) ? colorOnDark : isColor(color) ? color : own.colorOnDark,
    colorLight: `${wears}33`,
    state,
  }
}

const isColor = (value: unknown): value is string => typeof value === 'string' && COLOR.test(value)

/** A name as it may be shown: on one line, not too long, nothing in it that turns the line around. */
const cleanName = (name: string): string =>
  [...name.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim()].slice(0, LONGEST_NAME).join('').trim()
