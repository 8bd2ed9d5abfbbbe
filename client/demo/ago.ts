const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * How long ago something was, in the words of a note on a fridge.
 *
 * @param then, now milliseconds since 1970
 * @example ago(Date.now() - 90_000, Date.now()) // '1 minute ago'
 */
export const ago = (then: number, now: number): string => {
  const passed = Math.max(now - then, 0)
  if (passed < MINUTE) return 'just now'
  if (passed < HOUR) return counted(Math.floor(passed / MINUTE), 'minute')
  if (passed < DAY) return counted(Math.floor(passed / HOUR), 'hour')
  const days = Math.floor(passed / DAY)
  if (days === 1) return 'yesterday'
  if (days < 30) return counted(days, 'day')
  return new Date(then).toISOString().slice(0, 10)
}

const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'} ago`
