import * as Y from 'yjs'
import { Client } from '../client.js'
import type { Running } from '../contenders.js'
import { Deliveries } from '../deliveries.js'
import { bodyOf, type Dialect, kindOf, updateOf } from '../dialect.js'
import { percentile, sleep, steadily, until } from '../figures.js'
import { eachFrame } from '../frames.js'
import { eachInsertion } from '../insertions.js'
import {
  ALL,
  type Figures,
  fixed,
  type Line,
  NAMES,
  type Target,
  timesBestPeer,
  timesNaive,
} from '../line.js'
import { Recording } from '../recording.js'
import { cpuSeconds } from '../usage.js'

interface Load {
  readonly readers: number
  readonly writers: number
  /** Updates a second, of all writers together; 0: all at once. */
  readonly rate: number
  readonly updates: number
}

const DOCUMENT = 'fan-out'
const FIRST_WRITER = 1000
const WARM_WRITER = 999
const WARM_UPDATES = 50
/** Room for what a reader hears of one update, bytes; more than any server needs for it. */
const ROOM = 64

/** What a writer types, one message per letter. */
const typing = (client: number, count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  doc.clientID = client
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => void updates.push(updateOf(update)))
  for (let i = 0; i < count; i++) doc.getText('text').insert(i, 'abcdefghij '[i % 11] as string)
  return updates
}

/**
 * Writers type into a document that readers have open; each update's way to each reader is timed, from before it is
 * written to a socket until the chunk that brings it is read from one. The rate is of all of them, until the read that
 * brings the last.
 *
 * Both are here, in one process, so what it does for a delivery could look like the server's slowness. While it measures
 * it therefore only takes down which updates a chunk holds, and keeps the chunk. What the updates say is looked at in the
 * end: a reader that lacks a letter of the text fails the line.
 */
export const fanOut = async (server: Running, load: Load): Promise<Figures> => {
  const { readers: count, writers, rate, updates: total } = load
  const each = Math.ceil(total / writers)
  const messages = Array.from({ length: writers }, (_, i) => typing(FIRST_WRITER + i, each))
  const expected = each * writers
  const warmUp = new Deliveries(count, WARM_UPDATES)
  const measured = new Deliveries(count, expected)
  const recordings = Array.from({ length: count }, () => new Recording((expected + WARM_UPDATES) * ROOM))
  let chunkAt = 0
  const open = async (reader: number): Promise<Client> => {
    const insertion = (client: number, clock: number): void => {
      if (client === WARM_WRITER) warmUp.heard(reader, clock, chunkAt)
      else measured.heard(reader, (client - FIRST_WRITER) * each + clock, chunkAt)
    }
    return Client.open(server.url, {
      dialect: server.dialect,
      document: DOCUMENT,
      onRead: (chunk) => {
        chunkAt = performance.now()
        recordings[reader]?.add(chunk)
      },
      onMessage: (kind, bytes, at) => {
        if (kind === 'update') eachInsertion(bytes, at, insertion)
      },
    })
  }
  const readers: Client[] = []
  for (let i = 0; i < count; i += 50) {
    const batch = Array.from({ length: Math.min(50, count - i) }, (_, j) => open(i + j))
    readers.push(...(await Promise.all(batch)))
  }
  const authors = await Promise.all(
    messages.map(() => Client.open(server.url, { dialect: server.dialect, document: DOCUMENT })),
  )
  // A second of the same before it counts, so that on both sides the code is warm.
  const [warm] = await Promise.all([
    Client.open(server.url, { dialect: server.dialect, document: DOCUMENT }),
    sleep(500),
  ])
  const before = typing(WARM_WRITER, WARM_UPDATES)
  await steadily(WARM_UPDATES, WARM_UPDATES, (i) => {
    warmUp.sent(i)
    warm.send(before[i] as Uint8Array)
  })
  await until('every reader is warm', () => warmUp.complete)
  warm.close()
  const packed = rate === 0 ? authors.map((author, i) => author.packed(messages[i] ?? [])) : []
  const cpu = cpuSeconds(server.pid)
  const start = performance.now()
  for (const [i, bytes] of packed.entries()) {
    for (let clock = 0; clock < each; clock++) measured.sent(i * each + clock)
    authors[i]?.socket.write(bytes)
  }
  if (rate !== 0) {
    await steadily(rate, expected, (i) => {
      const writer = i % writers
      const clock = Math.floor(i / writers)
      measured.sent(writer * each + clock)
      authors[writer]?.send(messages[writer]?.[clock] as Uint8Array)
    })
  }
  await until('every reader has every update', () => measured.complete)
  const seconds = (measured.lastAt - start) / 1000
  // What a server still does about them counts, too.
  if (rate !== 0) await sleep(200)
  const used = cpuSeconds(server.pid) - cpu
  for (const client of [...readers, ...authors]) client.close()
  check(recordings, server.dialect, expected + WARM_UPDATES)
  const { latencies } = measured
  return {
    cpu: (used / latencies.length) * 1e6,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    rate: latencies.length / seconds / 1e6,
    core: (used / seconds) * 100,
  }
}

/** Every reader has the whole text. Readers that heard the same bytes are looked at once. */
const check = (recordings: readonly Recording[], dialect: Dialect, length: number): void => {
  const seen: Buffer[] = []
  const offset = dialect.offset(DOCUMENT)
  for (const { bytes } of recordings) {
    if (seen.some((each) => each.equals(bytes))) continue
    seen.push(bytes)
    const doc = new Y.Doc()
    doc.transact(() => {
      eachFrame(bytes, (_opcode, payload, start) => {
        const at = start + offset
        if (kindOf(payload, at) === 'update') Y.applyUpdate(doc, bodyOf(payload, at))
      })
    })
    const text = doc.getText('text').toString()
    if (text.length !== length) throw new Error(`a reader has ${text.length} letters of ${length}`)
  }
}

const UNITS = {
  cpu: 'µs of CPU a delivery',
  p50: 'ms, median',
  p99: 'ms, p99',
  rate: 'million deliveries/s',
  core: '% of a core',
}
const SECONDS = 8

const line = (
  name: string,
  readers: number,
  writers: number,
  rate: number,
  targets: readonly Target[],
  quick = false,
): Line => ({
  name,
  title: `${readers.toLocaleString('en')} readers, ${rate.toLocaleString('en')} updates/s`,
  quick,
  rounds: 3,
  contenders: rate >= 20 ? NAMES : ALL,
  units: UNITS,
  run: (server) => fanOut(server, { readers, writers, rate, updates: rate * SECONDS }),
  targets,
})

const large: readonly Target[] = [
  { figure: 'p50', what: 'no worse than the best peer', limit: timesBestPeer(1, 'p50') },
  { figure: 'p99', what: 'no worse than the best peer', limit: timesBestPeer(1, 'p99') },
  { figure: 'cpu', what: '≤ 0.6 × best peer', limit: timesBestPeer(0.6, 'cpu') },
]

export const fanOutLines: readonly Line[] = [
  line(
    'fan-out-300',
    300,
    1,
    100,
    [
      { figure: 'cpu', what: '≤ 0.45 × best peer', limit: timesBestPeer(0.45, 'cpu') },
      { figure: 'cpu', what: '≤ 0.6 × naive relay', limit: timesNaive(0.6, 'cpu') },
      { figure: 'p50', what: '≤ 20 ms', limit: fixed(20) },
      { figure: 'p99', what: '≤ 40 ms', limit: fixed(40) },
    ],
    true,
  ),
  line('fan-out-30', 30, 10, 1000, [
    { figure: 'cpu', what: '≤ 0.3 × best peer', limit: timesBestPeer(0.3, 'cpu') },
  ]),
  line('few', 4, 1, 10, [
    { figure: 'p50', what: 'no worse than the best peer', limit: timesBestPeer(1, 'p50') },
  ]),
  {
    name: 'burst',
    title: 'burst of 2,000 updates to 200 readers',
    quick: true,
    contenders: ALL,
    units: UNITS,
    run: (server) => fanOut(server, { readers: 200, writers: 1, rate: 0, updates: 2000 }),
    targets: [
      {
        figure: 'rate',
        what: '≥ 2.5 × best peer',
        limit: timesBestPeer(2.5, 'rate', 'max'),
        atLeast: true,
      },
    ],
  },
  line('fan-out-1000', 1000, 1, 20, large),
  line('fan-out-1500', 1500, 1, 20, large),
]
