import { type Name, type Places, type Running, start } from './contenders.js'
import { middle } from './figures.js'
import type { Figures, Line } from './line.js'
import { type Result, verdicts } from './report.js'

/** How late the server's event loop was at most, ms: the last interval that it was asked about. */
const loopDelay = async ({ name, url }: Running): Promise<Figures> => {
  if (name !== 'inkwire') return {}
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (quantile: string): number =>
    Number(new RegExp(`^\\w+{quantile="${quantile}"} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN) * 1000
  return { loopP99: value('0.99'), loopMax: value('1') }
}

const LOOP = [
  { figure: 'loopP99', what: '≤ 30 ms', limit: () => 30 },
  { figure: 'loopMax', what: '≤ 100 ms', limit: () => 100 },
] as const

/** Who takes part, and how often. */
export interface Turns {
  readonly places: Places
  readonly against: readonly Name[]
  /** One round, even of lines that have more. */
  readonly quick: boolean
}

/** Runs a line against all of its contenders, each in a process of its own, one after the other. */
export const measure = async (given: Line, { places, against, quick }: Turns): Promise<Result> => {
  const line: Line = {
    ...given,
    units: {
      ...given.units,
      loopP99: 'ms, event loop delay at p99',
      loopMax: 'ms, event loop delay at most',
    },
    targets: [...given.targets, ...LOOP],
  }
  const figures: Partial<Record<Name, Figures>> = {}
  const failures: Partial<Record<Name, string>> = {}
  const found: Partial<Record<Name, Figures[]>> = {}
  const takePart = async (name: Name): Promise<void> => {
    let server = await start(name, places)
    try {
      await loopDelay(server)
      const figures = await line.run(server, (next) => {
        server = next
      })
      found[name] = [...(found[name] ?? []), { ...figures, ...(await loopDelay(server)) }]
    } catch (error) {
      failures[name] = error instanceof Error ? error.message : String(error)
      console.error(`${line.name}: ${name} failed: ${failures[name]}`)
    } finally {
      await server.stop()
    }
  }
  const names = line.contenders.filter((each) => against.includes(each))
  for (let round = 0; round < (quick ? 1 : (line.rounds ?? 1)); round++) {
    for (const name of names) if (!failures[name]) await takePart(name)
  }
  for (const name of names) {
    const rounds = failures[name] ? undefined : found[name]
    if (rounds) figures[name] = middle(rounds, ['loopMax'])
  }
  const { name, title, units } = line
  return { line: name, title, units, figures, failures, targets: verdicts(line, figures) }
}
