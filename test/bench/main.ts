/**
 * `npm run bench`: Inkwire beside its peers, every server with its storage on, one after the other on the same machine.
 *
 *     npm run bench                     everything; about 20 minutes
 *     npm run bench -- --quick          less than 2 minutes
 *     npm run bench -- --only burst,idle --against inkwire,naive
 *     npm run bench -- --only burst --against inkwire --profile DIR   with a CPU profile of the server
 *     npm run bench -- --lifetime       a document's cost over 2 million edits
 *
 * Prints a table and says which targets hold; writes test/bench/results/. Exit code 1 if a load failed its checks.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { barChart } from './chart.js'
import { type Name, type Places, type Running, start } from './contenders.js'
import { middle } from './figures.js'
import { lifetime } from './lifetime.js'
import { type Figures, type Line, NAMES } from './line.js'
import { fanOutLines } from './lines/fanout.js'
import { join, type Opening } from './lines/joiners.js'
import { largeLine } from './lines/large.js'
import { idleLine, slowReaderLine } from './lines/memory.js'
import { paperLine } from './lines/paper.js'
import { presenceLine } from './lines/presence.js'
import { roomsLine } from './lines/rooms.js'
import { installPeers, nodeOf, versionOf } from './peers.js'
import { headlinesOf, type Result, rowsOf, tableOf, verdicts, withTable } from './report.js'

const bench = process.env.INKWIRE_BENCH ?? `${process.cwd()}/test/bench/`
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    lifetime: { type: 'boolean', default: false },
    only: { type: 'string' },
    against: { type: 'string' },
    profile: { type: 'string' },
    joiners: { type: 'string' },
  },
})
if (values.joiners) {
  await join(JSON.parse(values.joiners) as Opening)
  process.exit()
}
const peers = `${bench}peers`
installPeers(peers)
const places: Places = {
  bench,
  peers,
  node: nodeOf(peers),
  ...(values.profile ? { profile: values.profile } : {}),
}
const results = `${bench}results/`
mkdirSync(results, { recursive: true })

const lines: readonly Line[] = [
  ...fanOutLines,
  presenceLine,
  roomsLine,
  paperLine(bench),
  largeLine,
  idleLine,
  slowReaderLine,
]
const only = values.only?.split(',')
const against = (values.against?.split(',') as Name[] | undefined) ?? NAMES
const unknown = only?.filter((name) => !lines.some((line) => line.name === name)) ?? []
if (unknown.length > 0) {
  console.error(`no such line: ${unknown.join(', ')}; there are ${lines.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = lines.filter((line) => (only ? only.includes(line.name) : !values.quick || line.quick))

const machine = {
  cpu: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  kernel: release(),
  node: execFileSync(places.node, ['--version'], { encoding: 'utf8' }).trim(),
  'y-websocket-server': `${versionOf(peers, '@y/websocket-server')}, y-leveldb ${versionOf(peers, 'y-leveldb')}`,
  hocuspocus: `${versionOf(peers, '@hocuspocus/server')}, SQLite of Node`,
  date: new Date().toISOString().slice(0, 10),
}

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

const measure = async (given: Line): Promise<Result> => {
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
  for (let round = 0; round < (values.quick ? 1 : (line.rounds ?? 1)); round++) {
    for (const name of names) if (!failures[name]) await takePart(name)
  }
  for (const name of names) {
    const rounds = failures[name] ? undefined : found[name]
    if (rounds) figures[name] = middle(rounds, ['loopMax'])
  }
  const { name, title, units } = line
  return { line: name, title, units, figures, failures, targets: verdicts(line, figures) }
}

if (values.lifetime) {
  await lifetime(places, results)
} else {
  console.log(`${machine.cpu}, ${machine.memory}, Linux ${machine.kernel}, Node ${machine.node}\n`)
  const found: Result[] = []
  for (const line of chosen) {
    const result = await measure(line)
    found.push(result)
    console.log(rowsOf(result, against).join('\n'))
  }
  const targets = found.flatMap((result) => result.targets)
  const missed = found.flatMap(({ line, targets }) =>
    targets
      .filter(({ holds }) => !holds)
      .map(({ figure, what, ours }) => `${line}: ${figure} ${what}, is ${ours.toPrecision(3)}`),
  )
  console.log(
    `\n${targets.length - missed.length} of ${targets.length} targets hold${missed.length > 0 ? `; not:\n${missed.join('\n')}` : ''}`,
  )
  if (!only && !values.quick && !values.against) {
    writeFileSync(`${results}latest.json`, `${JSON.stringify({ machine, results: found }, null, 2)}\n`)
    writeFileSync(`${results}table.md`, `${tableOf(found, against)}\n`)
    writeFileSync(`${results}chart.svg`, barChart(charted(found)))
    const readme = `${bench}../../README.md`
    writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), headlinesOf(found, against)))
  }
  if (found.some(({ failures }) => failures.inkwire)) process.exitCode = 1
}

/** The figures that tell most. */
function charted(found: readonly Result[]) {
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
