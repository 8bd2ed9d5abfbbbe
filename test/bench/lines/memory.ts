import * as Y from 'yjs'
import { Client } from '../client.js'
import { bodyOf, updateOf } from '../dialect.js'
import { MiB, sleep, until } from '../figures.js'
import { ALL, fixed, type Line } from '../line.js'
import { residentBytes } from '../usage.js'

const CONNECTIONS = 2000
const DOCUMENTS = 1000
const AT_ONCE = 50
/** For garbage to be collected and what was needed for the handshakes to be given back. */
const SETTLES_MS = 8000

export const idleLine: Line = {
  name: 'idle',
  title: '2,000 idle connections over 1,000 documents',
  quick: true,
  contenders: ALL,
  units: { each: 'KiB a connection' },
  targets: [{ figure: 'each', what: '≤ 20 KB', limit: fixed(20_000 / 1024) }],
  run: async (server) => {
    const open = (document: string) => Client.open(server.url, { dialect: server.dialect, document })
    // What the first connections load and compile isn't what a connection costs.
    for (const client of await Promise.all(Array.from({ length: 100 }, (_, i) => open(`warm ${i}`))))
      client.close()
    await sleep(SETTLES_MS)
    const before = residentBytes(server.pid)
    const clients: Client[] = []
    for (let i = 0; i < CONNECTIONS; i += AT_ONCE) {
      const batch = Array.from({ length: AT_ONCE }, (_, j) => open(`idle ${(i + j) % DOCUMENTS}`))
      clients.push(...(await Promise.all(batch)))
    }
    await sleep(SETTLES_MS)
    const each = (residentBytes(server.pid) - before) / CONNECTIONS / 1024
    for (const client of clients) client.close()
    return { each }
  },
}

const PASSING_MIB = 200
const BLOCK = 'x'.repeat(16 * 1024)
const WRITERS = 4

export const slowReaderLine: Line = {
  name: 'slow-reader',
  title: 'a reader that stops reading while 200 MB pass',
  quick: false,
  contenders: ALL,
  units: { growth: 'MiB of growth', caughtUp: 's until it had caught up' },
  targets: [{ figure: 'growth', what: '≤ 40 MB', limit: fixed(40e6 / MiB) }],
  run: async (server) => {
    const docs = Array.from({ length: WRITERS }, (_, i) => {
      const doc = new Y.Doc()
      doc.clientID = i + 1
      return doc
    })
    const shared = new Y.Doc()
    let fastBytes = 0
    const common = { dialect: server.dialect, document: 'slow' }
    const slow = await Client.open(server.url, {
      ...common,
      onMessage: (kind, payload, at) => {
        if (kind === 'step2' || kind === 'update') Y.applyUpdate(shared, bodyOf(payload, at))
      },
    })
    const fast = await Client.open(server.url, {
      ...common,
      onMessage: (_kind, _bytes, at, end) => {
        fastBytes += end - at
      },
    })
    const authors = await Promise.all(docs.map(() => Client.open(server.url, common)))
    for (const [i, doc] of docs.entries()) {
      doc.on('update', (update: Uint8Array) => void authors[i]?.send(updateOf(update)))
    }
    await sleep(3000)
    const before = residentBytes(server.pid)
    slow.socket.pause()
    let most = before
    const sampling = setInterval(() => {
      most = Math.max(most, residentBytes(server.pid))
    }, 50)
    let sent = 0
    while (sent < PASSING_MIB * MiB) {
      for (const doc of docs) {
        const text = doc.getText(`of ${doc.clientID}`)
        text.insert(0, BLOCK)
        text.delete(0, BLOCK.length)
        sent += BLOCK.length
      }
      await until('the others keep up', () => sent - fastBytes < 4 * MiB, 120_000)
    }
    for (const doc of docs) doc.getText('end').insert(0, 'e')
    await sleep(1000)
    clearInterval(sampling)
    const start = performance.now()
    slow.socket.resume()
    await until('the slow reader has all', () => shared.getText('end').length === WRITERS, 120_000)
    const caughtUp = (performance.now() - start) / 1000
    for (const doc of docs) {
      if (shared.getText(`of ${doc.clientID}`).length > 0) throw new Error('a deletion did not arrive')
    }
    for (const client of [slow, fast, ...authors]) client.close()
    return { growth: (most - before) / MiB, caughtUp }
  },
}
