/**
 * `npm run bench`: Inkwire beside its peers, every server with its storage on, one after the other on the same machine.
 *
 *     npm run bench                     everything; 20 to 30 minutes
 *     npm run bench -- --quick          less than 2 minutes
 *     npm run bench -- --only burst,idle --against inkwire,naive
 *     npm run bench -- --only burst --against inkwire --profile DIR   with a CPU profile of the server
 *     npm run bench -- --lifetime       a document's cost over 2 million edits
 *
 * Prints a table and says which targets hold; writes test/bench/results/. Exit code 1 if a load failed its checks, 2 if
 * the command line can't be understood.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { barChart } from './chart.js'
import type { Places } from './contenders.js'
import { lifetime } from './lifetime.js'
import { type Line, NAMES } from './line.js'
import { fanOutLines } from './lines/fanout.js'
import { join, type Opening } from './lines/joiners.js'
import { largeLine } from './lines/large.js'
import { idleLine, slowReaderLine } from './lines/memory.js'
import { paperLine } from './lines/paper.js'
import { presenceLine } from './lines/presence.js'
import { roomsLine } from './lines/rooms.js'
import { measure } from './measure.js'
import { type Options, parseOptions } from './options.js'
import { installPeers, nodeOf, versionOf } from './peers.js'
import { charted, headlinesOf, type Result, rowsOf, tableOf, withTable } from './report.js'

const bench = process.env.INKWIRE_BENCH ?? `${process.cwd()}/test/bench/`
const peers = `${bench}peers`
const results = `${bench}results/`

const lines: readonly Line[] = [
  ...fanOutLines,
  presenceLine,
  roomsLine,
  paperLine(bench),
  largeLine,
  idleLine,
  slowReaderLine,
]

const machineOf = (node: string): Readonly<Record<string, string>> => ({
  cpu: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  kernel: release(),
  node: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
  'y-websocket-server': `${versionOf(peers, '@y/websocket-server')}, y-leveldb ${versionOf(peers, 'y-leveldb')}`,
  hocuspocus: `${versionOf(peers, '@hocuspocus/server')}, SQLite of Node`,
  date: new Date().toISOString().slice(0, 10),
})

/** Measures what was asked for, says how it went, and keeps the results of a full run. */
const compare = async (places: Places, { quick, only, against }: Options): Promise<void> => {
  const machine = machineOf(places.node)
  console.log(`${machine.cpu}, ${machine.memory}, Linux ${machine.kernel}, Node ${machine.node}\n`)
  const found: Result[] = []
  for (const line of lines) {
    if (only ? !only.includes(line.name) : quick && !line.quick) continue
    const result = await measure(line, { places, against, quick })
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
  if (!only && !quick && against.length === NAMES.length) {
    writeFileSync(`${results}latest.json`, `${JSON.stringify({ machine, results: found }, null, 2)}\n`)
    writeFileSync(`${results}table.md`, `${tableOf(found, against)}\n`)
    writeFileSync(`${results}chart.svg`, barChart(charted(found)))
    const readme = `${bench}../../README.md`
    writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), headlinesOf(found, against)))
  }
  if (found.some(({ failures }) => failures.inkwire)) process.exitCode = 1
}

const options = parseOptions(
  process.argv.slice(2),
  lines.map(({ name }) => name),
)
if (typeof options === 'number') process.exit(options)
if (options.joiners) {
  await join(JSON.parse(options.joiners) as Opening)
  process.exit()
}
installPeers(peers)
mkdirSync(results, { recursive: true })
const places: Places = {
  bench,
  peers,
  node: nodeOf(peers),
  ...(options.profile ? { profile: options.profile } : {}),
}
if (options.lifetime) await lifetime(places, results)
else await compare(places, options)
