import * as Y from 'yjs'
import { Client } from '../client.js'
import { bodyOf, Head, updateOf } from '../dialect.js'
import { MiB, percentile, sleep, until } from '../figures.js'
import { fixed, type Line, STORING } from '../line.js'
import { peakBytes, resetPeak, residentBytes } from '../usage.js'
import { joinAtOnce } from './joiners.js'

const SIZE = 20 * MiB
const PIECE = 'The quick brown fox jumps over the lazy dog. '.repeat(5000)
const JOINS = 150
const ROOMS = 10
const KEYSTROKE_MS = 100

export const largeLine: Line = {
  name: 'large',
  title: '20 MB document: 150 joins at once, and edits in 10 other documents meanwhile',
  quick: false,
  contenders: STORING,
  units: {
    memory: '× the document, more than before at most',
    seconds: 's until all had it',
    p50: 'ms, median of the others’ edits',
    p99: 'ms, p99 of the others’ edits',
  },
  targets: [
    { figure: 'memory', what: '≤ 3 × the document', limit: fixed(3) },
    { figure: 'p99', what: '≤ 50 ms', limit: fixed(50) },
  ],
  run: async (server) => {
    const { dialect } = server
    const before = residentBytes(server.pid)
    const doc = new Y.Doc()
    const author = await Client.open(server.url, { dialect, document: 'large' })
    doc.on('update', (update: Uint8Array) => void author.send(updateOf(update)))
    let size = 0
    let heard = 0
    const reader = await Client.open(server.url, {
      dialect,
      document: 'large',
      onMessage: (_kind, _bytes, at, end) => {
        heard += end - at
      },
    })
    while (size < SIZE) {
      doc.getText('text').insert(doc.getText('text').length, PIECE)
      size += PIECE.length
      await until('it is taken', () => heard > size - MiB)
    }
    reader.close()
    await sleep(3000)
    resetPeak(server.pid)

    const latencies: number[] = []
    const head = new Head()
    const sentAt = Array.from({ length: ROOMS }, () => new Map<number, number>())
    const others = await Promise.all(
      sentAt.map(async (times, i) => {
        const document = `other ${i}`
        const own = new Y.Doc()
        own.clientID = i + 1
        const watching = await Client.open(server.url, {
          dialect,
          document,
          onMessage: (kind, payload, at) => {
            if (kind !== 'update') return
            head.read(payload, at)
            const sent = times.get(head.clock)
            if (sent !== undefined) latencies.push(performance.now() - sent)
          },
        })
        const writing = await Client.open(server.url, { dialect, document })
        let clock = 0
        own.on('update', (update: Uint8Array) => void writing.send(updateOf(update)))
        const timer = setInterval(() => {
          times.set(clock, performance.now())
          own.getText('t').insert(clock++, 'x')
        }, KEYSTROKE_MS)
        return { timer, clients: [watching, writing], typed: () => clock }
      }),
    )
    await sleep(500)
    const start = performance.now()
    await joinAtOnce({
      url: server.url,
      document: 'large',
      count: JOINS,
      bytes: size,
      hocuspocus: server.name === 'hocuspocus',
    })
    const seconds = (performance.now() - start) / 1000
    await sleep(1000)
    for (const { timer } of others) clearInterval(timer)
    await until(
      'the others’ edits have arrived',
      () => latencies.length === others.reduce((n, each) => n + each.typed(), 0),
    )
    const memory = (peakBytes(server.pid) - before) / size
    // One more looks at what it got.
    const joined = new Y.Doc()
    const joiner = await Client.open(server.url, {
      dialect,
      document: 'large',
      onMessage: (kind, payload, at) => {
        if (kind === 'step2' || kind === 'update') Y.applyUpdate(joined, bodyOf(payload, at))
      },
    })
    joiner.close()
    if (joined.getText('text').length !== size) throw new Error('a joiner lacks something')
    for (const { clients } of others) for (const client of clients) client.close()
    author.close()
    return { memory, seconds, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) }
  },
}
