import * as Y from 'yjs'
import { Client } from '../client.js'
import { updateOf } from '../dialect.js'
import { percentile, sleep, steadily, until } from '../figures.js'
import { ALL, type Line, timesBestPeer } from '../line.js'
import { cpuSeconds } from '../usage.js'

const ROOMS = 200
const READERS = 2
const PER_SECOND = 5
const SECONDS = 8
const WARM_SECONDS = 2
const EACH = PER_SECOND * (SECONDS + WARM_SECONDS)

const typing = (client: number): Uint8Array[] => {
  const doc = new Y.Doc()
  doc.clientID = client
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => void updates.push(updateOf(update)))
  for (let i = 0; i < EACH; i++) doc.getText('text').insert(i, 'abcdefghij '[i % 11] as string)
  return updates
}

/** What most servers do most of the time: many small documents, in each of which one types and others read. */
export const roomsLine: Line = {
  name: 'rooms',
  title: '200 documents, in each one who types 5 times a second and two who read',
  quick: false,
  contenders: ALL,
  units: { cpu: 'µs of CPU an update', core: '% of a core', p50: 'ms, median', p99: 'ms, p99' },
  targets: [
    { figure: 'cpu', what: 'no more than the best peer', limit: timesBestPeer(1, 'cpu') },
    { figure: 'p50', what: 'no worse than the best peer', limit: timesBestPeer(1, 'p50') },
  ],
  run: async (server) => {
    const latencies: number[] = []
    const sentAt = new Float64Array(ROOMS * EACH)
    let measuring = false
    let heard = 0
    const writers: Client[] = []
    const all: Client[] = []
    for (let room = 0; room < ROOMS; room++) {
      const document = `room-${room}`
      const open = (onMessage?: () => void): Promise<Client> =>
        Client.open(server.url, {
          dialect: server.dialect,
          document,
          ...(onMessage ? { onMessage } : {}),
        })
      const readers = await Promise.all(
        Array.from({ length: READERS }, () => {
          let next = 0
          return Client.open(server.url, {
            dialect: server.dialect,
            document,
            onMessage: (kind) => {
              if (kind !== 'update') return
              // One update a message at this pace: the n-th is the n-th that was sent.
              const at = sentAt[room * EACH + next++] as number
              heard++
              if (measuring) latencies.push(performance.now() - at)
            },
          })
        }),
      )
      const writer = await open()
      writers.push(writer)
      all.push(writer, ...readers)
    }
    const updates = writers.map((_, i) => typing(1000 + i))
    const send = (i: number): void => {
      const room = i % ROOMS
      const nth = Math.floor(i / ROOMS)
      sentAt[room * EACH + nth] = performance.now()
      writers[room]?.send(updates[room]?.[nth] as Uint8Array)
    }
    const warm = ROOMS * PER_SECOND * WARM_SECONDS
    await steadily(ROOMS * PER_SECOND, warm, send)
    measuring = true
    const cpu = cpuSeconds(server.pid)
    const started = performance.now()
    const count = ROOMS * PER_SECOND * SECONDS
    await steadily(ROOMS * PER_SECOND, count, (i) => send(warm + i))
    const seconds = (performance.now() - started) / 1000
    await until('every reader has every update', () => heard >= (warm + count) * READERS)
    await sleep(200)
    const used = cpuSeconds(server.pid) - cpu
    for (const client of all) client.close()
    return {
      cpu: (used / count) * 1e6,
      core: (used / seconds) * 100,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
    }
  },
}
