/**
 * The colours of one person. Each is CSS's six-digit form, `colorLight` the eight-digit one.
 *
 * @example
 *   const { color, colorLight } = colorsOf('ada@example.com')
 */
export interface UserColors {
  /** For carets and letters on white or black, and for the ground below white letters: contrast ≥ 4.5. */
  readonly color: string
  /** For carets and letters on dark grounds, up to `#24292f`: contrast ≥ 4.5. */
  readonly colorOnDark: string
  /** `color`, mostly transparent: for what is selected. */
  readonly colorLight: string
}

/**
 * Twelve hues around the circle of OKLCH, each as dark as it takes for 4.5 on white and on black, and as light as
 * it takes on dark grey: no colour can do all three.
 */
const HUES: readonly (readonly [color: string, onDark: string])[] = [
  ['#c34f55', '#fd8d8f'],
  ['#bc5907', '#fc9253'],
  ['#9a6d09', '#e0a21c'],
  ['#797907', '#b2b32a'],
  ['#398526', '#72bf61'],
  ['#118568', '#1cc39a'],
  ['#148288', '#01c0c8'],
  ['#057ea7', '#13baf4'],
  ['#3e73cd', '#7faefd'],
  ['#7966ca', '#b0a1fd'],
  ['#a159b1', '#dd91ee'],
  ['#b95087', '#f989c1'],
]

/**
 * The colours of a person: the same for the same key, on every device, for ever. Two people may share them.
 *
 * @param key what the person is known by, an account's id say
 * @example
 *   const { color } = colorsOf('ada@example.com')
 */
export const colorsOf = (key: string): UserColors => {
  // FNV-1a: spreads keys that differ in their last letter only.
  let hash = 0x811c9dc5
  for (const character of key) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  // Its low bits are its weak ones.
  const [color, colorOnDark] = HUES[((hash ^ (hash >>> 15)) >>> 0) % HUES.length] ?? ['#3d72cc', '#7faefd']
  return { color, colorOnDark, colorLight: `${color}33` }
}
