/** The longest delay that setTimeout takes, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** Whatever a token says of its end, it isn't renewed more often than that. */
const SHORTEST_RENEWAL_MS = 2_000

/**
 * When to renew a token, in ms from now: after seven to nine tenths of the time that it has left, the rest is for
 * failures. What says how long it is good for is the claim `exp` of a JWT (RFC 7519), which is read and not checked;
 * other tokens tell nothing. Where the token says how long it was made for, this device's clock may be wrong.
 *
 * @returns null for a token that doesn't tell.
 * @example
 *   renewalOf(jwtThatEndsInAnHour, Date.now(), 0) // 2520000
 */
export const renewalOf = (token: string, now: number, random: number): number | null => {
  try {
    const payload = (token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/')
    const { exp, iat } = JSON.parse(atob(payload)) as { readonly exp?: unknown; readonly iat?: unknown }
    if (typeof exp !== 'number') return null
    const left = exp * 1_000 - now
    const whole = typeof iat === 'number' ? (exp - iat) * 1_000 : left
    const good = left > 0 && left < whole ? left : whole
    return Math.min(Math.max(good * (0.7 + 0.2 * random), SHORTEST_RENEWAL_MS), LONGEST_TIMER_MS)
  } catch {
    return null
  }
}
