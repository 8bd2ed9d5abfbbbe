import { createHash } from 'node:crypto'
import * as Y from 'yjs'
import { Client } from '../client.js'
import type { Running } from '../contenders.js'
import { bodyOf, headOf, updateOf } from '../dialect.js'
import { percentile, sleep, steadily, until } from '../figures.js'
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

/** What a writer types, one update per letter. */
const typing = (client: number, count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  doc.clientID = client
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => void updates.push(update))
  for (let i = 0; i < count; i++) doc.getText('text').insert(i, 'abcdefghij '[i % 11] as string)
  return updates
}

/** What is delivered by one message: a server may put several updates into one. */
const insertionsIn = (payload: Uint8Array, at: number): (readonly [client: number, clock: number])[] => {
  const [clients, structs, client, clock] = headOf(payload, at)
  if (clients === 1 && structs === 1) return [[client, clock]]
  return Y.decodeUpdate(bodyOf(payload, at)).structs.flatMap(({ id, length }) =>
    Array.from({ length }, (_, i) => [id.client, id.clock + i] as const),
  )
}

/** Writers type into a document that readers have open; each update's way to each reader is timed. */
export const fanOut = async (server: Running, load: Load): Promise<Figures> => {
  const { readers: count, writers, rate, updates: total } = load
  const each = Math.ceil(total / writers)
  const updates = Array.from({ length: writers }, (_, i) => typing(FIRST_WRITER + i, each))
  const sentAt = updates.map(() => new Float64Array(each))
  const expected = each * writers
  const latencies = new Float64Array(expected * count)
  let delivered = 0
  let warmed = 0
  let chunkAt = 0
  const heard: Uint8Array[][] = Array.from({ length: count }, () => [])
  const readers: Client[] = []
  for (let i = 0; i < count; i += 50) {
    const batch = Array.from({ length: Math.min(50, count - i) }, (_, j) =>
      Client.open(server.url, {
        dialect: server.dialect,
        document: DOCUMENT,
        onMessage: (kind, payload, at) => {
          if (kind !== 'update') return
          for (const [client, clock] of insertionsIn(payload, at)) {
            const times = sentAt[client - FIRST_WRITER]
            if (times) latencies[delivered++] = chunkAt - (times[clock] as number)
            else if (client === WARM_WRITER && clock === WARM_UPDATES - 1) warmed++
          }
          heard[i + j]?.push(payload.subarray(at))
        },
      }),
    )
    const opened = await Promise.all(batch)
    for (const { socket } of opened) {
      // One look at the clock per read of a socket, before what it brought is taken apart.
      socket.prependListener('data', () => {
        chunkAt = performance.now()
      })
    }
    readers.push(...opened)
  }
  const authors = await Promise.all(
    updates.map(() => Client.open(server.url, { dialect: server.dialect, document: DOCUMENT })),
  )
  // A second of the same before it counts, so that on both sides the code is warm.
  const [warm] = await Promise.all([
    Client.open(server.url, { dialect: server.dialect, document: DOCUMENT }),
    sleep(500),
  ])
  const before = typing(WARM_WRITER, WARM_UPDATES)
  await steadily(WARM_UPDATES, WARM_UPDATES, (i) => warm.send(updateOf(before[i] as Uint8Array)))
  await until('every reader is warm', () => warmed === count)
  warm.close()
  const cpu = cpuSeconds(server.pid)
  const start = performance.now()
  if (rate === 0) {
    for (const [i, own] of updates.entries()) {
      sentAt[i]?.fill(performance.now())
      authors[i]?.sendAll(own.map(updateOf))
    }
  } else {
    await steadily(rate, expected, (i) => {
      const writer = i % writers
      const clock = Math.floor(i / writers)
      ;(sentAt[writer] as Float64Array)[clock] = performance.now()
      authors[writer]?.send(updateOf(updates[writer]?.[clock] as Uint8Array))
    })
  }
  await until('every reader has every update', () => delivered === expected * count)
  const seconds = (performance.now() - start) / 1000
  // What a server still does about them counts, too.
  if (rate !== 0) await sleep(200)
  const used = cpuSeconds(server.pid) - cpu
  check(heard, expected + WARM_UPDATES)
  for (const client of [...readers, ...authors]) client.close()
  return {
    cpu: (used / delivered) * 1e6,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    rate: delivered / seconds / 1e6,
    core: (used / seconds) * 100,
  }
}

/** Every reader has the whole text. Readers that heard the same bytes are looked at once. */
const check = (heard: readonly Uint8Array[][], length: number): void => {
  const seen = new Set<string>()
  for (const messages of heard) {
    const hash = createHash('sha1')
    for (const message of messages) hash.update(message)
    const digest = hash.digest('hex')
    if (seen.has(digest)) continue
    seen.add(digest)
    const doc = new Y.Doc()
    doc.transact(() => {
      for (const message of messages) Y.applyUpdate(doc, bodyOf(message, 0))
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
