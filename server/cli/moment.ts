/** A moment as a person says it: a time, or how long ago. */
export type Moment = { readonly at: number } | { readonly agoMs: number }

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** RFC 3339, with a blank in place of the T if one likes; without a zone it would mean something else elsewhere. */
const TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)$/i
const AGO = /^(\d{1,6}) ?([smhd])$/

/**
 * Reads a moment; `null` if it is none.
 *
 * @example
 *   parseMoment('10m')                        // { agoMs: 600_000 }
 *   parseMoment('2026-11-21T10:30:00+01:00')  // { at: 1795253400000 }
 *   parseMoment('2026-11-21 10:30')           // null: in which zone?
 */
export const parseMoment = (text: string): Moment | null => {
  const [, amount, unit = ''] = AGO.exec(text) ?? []
  if (amount !== undefined) return { agoMs: Number(amount) * (UNITS_MS[unit] ?? 0) }
  const [, year, month, day, time, zone = ''] = TIME.exec(text) ?? []
  if (year === undefined) return null
  // Date would take February 30th for March 2nd.
  if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day))
    return null
  const at = Date.parse(`${year}-${month}-${day}T${time}${zone.toUpperCase()}`)
  return Number.isNaN(at) ? null : { at }
}

/** @param now milliseconds since 1970. */
export const dateOf = (moment: Moment, now: number): Date =>
  new Date('at' in moment ? moment.at : now - moment.agoMs)
