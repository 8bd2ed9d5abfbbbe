import type { Group } from './chart.js'
import type { Name } from './contenders.js'
import { type Figures, type Line, NAMES } from './line.js'

/** What one line found. */
export interface Result {
  readonly line: string
  readonly title: string
  readonly units: Readonly<Record<string, string>>
  readonly figures: Readonly<Partial<Record<Name, Figures>>>
  readonly failures: Readonly<Partial<Record<Name, string>>>
  readonly targets: readonly Verdict[]
}

/** Whether a target holds. */
export interface Verdict {
  readonly figure: string
  readonly what: string
  readonly limit: number
  readonly ours: number
  readonly holds: boolean
}

export const verdicts = (line: Line, figures: Result['figures']): Verdict[] =>
  line.targets.flatMap(({ figure, what, limit, atLeast = false }) => {
    const ours = figures.inkwire?.[figure]
    const value = limit(figures)
    if (ours === undefined || value === null) return []
    return [{ figure, what, limit: value, ours, holds: atLeast ? ours >= value : ours <= value }]
  })

const number = (value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** A line's figures as rows of a Markdown table; the last column says which targets hold. */
export const rowsOf = (result: Result, names: readonly Name[]): string[] =>
  Object.entries(result.units).flatMap(([figure, unit]) => {
    if (result.figures.inkwire?.[figure] === undefined && !result.failures.inkwire) return []
    const cells = names.map((name) =>
      result.failures[name] ? 'failed' : number(result.figures[name]?.[figure]),
    )
    const judged = result.targets
      .filter((verdict) => verdict.figure === figure)
      .map(({ what, holds }) => `${holds ? '✓' : '✗'} ${what}`)
    return [`| ${result.title}: ${unit} | ${cells.join(' | ')} | ${judged.join(', ')} |`]
  })

export const tableOf = (results: readonly Result[], names: readonly Name[]): string =>
  [
    `| work | ${names.join(' | ')} | target |`,
    `|---|${names.map(() => '---:|').join('')}---|`,
    ...results.flatMap((result) => rowsOf(result, names)),
  ].join('\n')

/** The rows that have a target, for the README; of the event loop the worst line. */
export const headlinesOf = (results: readonly Result[], names: readonly Name[]): string => {
  const judged = results.map((result) => {
    const units = Object.entries(result.units).filter(
      ([figure]) => !LOOP.has(figure) && result.targets.some((target) => target.figure === figure),
    )
    return { ...result, units: Object.fromEntries(units) }
  })
  const loop = results.flatMap(({ targets }) => targets.filter(({ figure }) => LOOP.has(figure)))
  const worst = (figure: string): Verdict[] => {
    const [most] = loop.filter((each) => each.figure === figure).sort((a, b) => b.ours - a.ours)
    return most ? [most] : []
  }
  const rows = [...LOOP].flatMap(([figure, title]) =>
    worst(figure).map(({ ours, what, holds }) => {
      const cells = names.map((name) => (name === 'inkwire' ? number(ours) : '–'))
      return `| ${title} | ${cells.join(' | ')} | ${holds ? '✓' : '✗'} ${what} |`
    }),
  )
  return [tableOf(judged, names), ...rows].join('\n')
}

const LOOP: ReadonlyMap<string, string> = new Map([
  ['loopP99', 'event loop delay at p99, in the worst of all lines: ms'],
  ['loopMax', 'event loop delay at most, in the worst of all lines: ms'],
])
const [START, END] = ['<!-- npm run bench writes this table -->', '<!-- to here -->']

/**
 * A README with this table where its marks are.
 *
 * @throws when it has no such marks.
 */
export const withTable = (readme: string, table: string): string => {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`no ${START} … ${END} in the README`)
  return `${readme.slice(0, start + START.length)}\n\n${table}\n\n${readme.slice(end)}`
}

/** The figures that tell most, for a chart. */
export const charted = (found: readonly Result[]): readonly Group[] => {
  const group = (line: string, figure: string, label: string, unit: string) => {
    const figures = found.find((result) => result.line === line)?.figures ?? {}
    const values = NAMES.flatMap((name) => {
      const value = figures[name]?.[figure]
      return value === undefined || Number.isNaN(value) ? [] : [[name, value] as const]
    })
    return { label, unit, values }
  }
  return [
    group('fan-out-300', 'cpu', '300 readers, 100 updates a second', 'µs of CPU for each delivery'),
    group(
      'burst',
      'rate',
      '2,000 updates at once to 200 readers',
      'million deliveries a second (more is better)',
    ),
    group('presence', 'core', '100 moving cursors', '% of a core'),
    group('paper', 'cold', 'opening a document of 259,778 edits after a restart', 'ms'),
    group('paper', 'join', 'joining it, 100 at once', 'ms of CPU for each'),
  ]
}
