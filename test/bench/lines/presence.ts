import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { Client, type ClientOptions } from '../client.js'
import { awarenessOf, bodyOf } from '../dialect.js'
import { percentile, sleep, steadily, until } from '../figures.js'
import { fixed, type Line, NAMES } from '../line.js'
import { cpuSeconds } from '../usage.js'

const CLIENTS = 100
const PER_SECOND = 10
const SECONDS = 8
/** How many of them read what they get; the others let it pass. */
const SAMPLED = 5
const FIRST_ID = 5000

const stateOf = (id: number, clock: number, sentAt: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, id)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(
      encoder,
      JSON.stringify({ user: { name: `Person ${id}`, color: '#0b7285' }, cursor: { at: clock }, sentAt }),
    )
  })

export const presenceLine: Line = {
  name: 'presence',
  title: '100 cursors, each moving 10 times a second',
  quick: true,
  rounds: 3,
  contenders: NAMES,
  units: { core: '% of a core', p50: 'ms, median', p95: 'ms, p95' },
  targets: [
    { figure: 'core', what: '≤ 8 % of a core', limit: fixed(8) },
    { figure: 'p95', what: '≤ 50 ms', limit: fixed(50) },
  ],
  run: async (server) => {
    const latencies: number[] = []
    /** By sampled client: the last clock of each id. */
    const last = Array.from({ length: SAMPLED }, () => new Map<number, number>())
    let chunkAt = 0
    const hear = (sample: Map<number, number>, payload: Uint8Array, at: number): void => {
      const decoder = decoding.createDecoder(bodyOf(payload, at))
      for (let left = decoding.readVarUint(decoder); left > 0; left--) {
        const id = decoding.readVarUint(decoder)
        const clock = decoding.readVarUint(decoder)
        const state = JSON.parse(decoding.readVarString(decoder)) as { sentAt?: number } | null
        if (clock <= (sample.get(id) ?? 0)) continue
        sample.set(id, clock)
        if (typeof state?.sentAt === 'number' && measuring) latencies.push(chunkAt - state.sentAt)
      }
    }
    const reading = (sample: Map<number, number>): Partial<ClientOptions> => ({
      onRead: () => {
        chunkAt = performance.now()
      },
      onMessage: (kind, bytes, at) => {
        if (kind === 'awareness') hear(sample, bytes, at)
      },
    })
    let measuring = false
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, i) => {
        const sample = last[i]
        return Client.open(server.url, {
          dialect: server.dialect,
          document: 'presence',
          ...(sample ? reading(sample) : {}),
        })
      }),
    )
    for (const [i, client] of clients.entries()) client.send(awarenessOf(stateOf(FIRST_ID + i, 1, 0)))
    await sleep(500)
    measuring = true
    const cpu = cpuSeconds(server.pid)
    const start = performance.now()
    const moves = CLIENTS * PER_SECOND * SECONDS
    await steadily(CLIENTS * PER_SECOND, moves, (i) => {
      const who = i % CLIENTS
      const clock = 2 + Math.floor(i / CLIENTS)
      clients[who]?.send(awarenessOf(stateOf(FIRST_ID + who, clock, performance.now())))
    })
    const seconds = (performance.now() - start) / 1000
    const used = cpuSeconds(server.pid) - cpu
    const end = 1 + PER_SECOND * SECONDS
    await until('everybody’s last cursor is known', () =>
      last.every((sample, own) =>
        clients.every((_, i) => i === own || (sample.get(FIRST_ID + i) ?? 0) >= end),
      ),
    )
    for (const client of clients) client.close()
    return { core: (used / seconds) * 100, p50: percentile(latencies, 0.5), p95: percentile(latencies, 0.95) }
  },
}
