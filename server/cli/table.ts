/** A name may hold anything; one that would break lines or drive a terminal is shown as JSON. */
export const printable = (name: string): string => (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name) ? escaped(name) : name)

/** The same within a sentence, in quotes in any case. */
export const quoted = (name: string): string => {
  const shown = printable(name)
  return shown === name ? `"${name}"` : shown
}

const escaped = (name: string): string =>
  JSON.stringify(name).replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A column of a {@link table}. */
export interface Column {
  readonly title: string
  /** Numbers stand at the right. */
  readonly right?: boolean
}

/** Rows below their titles, each column as wide as its widest cell. Ends with a newline. */
export const table = (columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const lines = [columns.map(({ title }) => title), ...rows]
  const widths = columns.map((_, i) =>
    lines.reduce((widest, cells) => Math.max(widest, cells[i]?.length ?? 0), 0),
  )
  return lines.map((cells) => `${line(columns, widths, cells)}\n`).join('')
}

const line = (columns: readonly Column[], widths: readonly number[], cells: readonly string[]): string =>
  columns
    .map(({ right }, i) => {
      const cell = cells[i] ?? ''
      const width = widths[i] ?? 0
      return right ? cell.padStart(width) : cell.padEnd(width)
    })
    .join('  ')
    .trimEnd()

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** @example bytes(1_234_567) // '1.2 MB' */
export const bytes = (count: number): string => {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit > 0 && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`
}

/** @example counted(1, 'document') // '1 document' */
export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

/** @example moment(0) // '1970-01-01 00:00:00Z' */
export const moment = (ms: number): string =>
  new Date(ms).toISOString().replace('T', ' ').replace(/\.\d+/, '')
