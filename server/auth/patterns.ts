import { ACCESS_LEVELS, type Access } from '../../shared/messages.js'

/** Which documents a token opens, and how: patterns with `*` (within a path segment) and `**` (across them). */
export type DocumentPatterns = Readonly<Record<string, Access>>

/**
 * Whether a document's name matches a pattern: `*` stands for any characters but `/`, `**` for any at all, everything
 * else for itself. Takes time in proportion to name times pattern, whatever they hold.
 *
 * @example
 *   matches('team/*', 'team/plan')   // true
 *   matches('team/*', 'team/a/b')    // false
 *   matches('team/**', 'team/a/b')   // true
 */
export const matches = (pattern: string, name: string): boolean => {
  const tokens = pattern.match(/\*\*|\*|[^*]/gsu) ?? []
  const characters = [...name]
  // reachable[i]: the tokens so far can stand for the first i characters.
  let reachable = new Array<boolean>(characters.length + 1).fill(false)
  reachable[0] = true
  for (const token of tokens) {
    const next = new Array<boolean>(characters.length + 1).fill(false)
    if (token === '*' || token === '**') next[0] = reachable[0] === true
    for (let i = 1; i <= characters.length; i++) {
      const character = characters[i - 1]
      if (token === '**') next[i] = reachable[i] === true || next[i - 1] === true
      else if (token === '*') next[i] = reachable[i] === true || (next[i - 1] === true && character !== '/')
      else next[i] = reachable[i - 1] === true && character === token
    }
    reachable = next
  }
  return reachable[characters.length] === true
}

/** The strongest access that any matching pattern gives; `null` when none matches. */
export const accessTo = (patterns: DocumentPatterns, name: string): Access | null => {
  let strongest = -1
  for (const [pattern, access] of Object.entries(patterns)) {
    const level = ACCESS_LEVELS.indexOf(access)
    if (level > strongest && matches(pattern, name)) strongest = level
  }
  return ACCESS_LEVELS[strongest] ?? null
}
