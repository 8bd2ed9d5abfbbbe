import { once } from 'node:events'
import * as Y from 'yjs'
import { decodeMessage, encodeMessage } from '../../../shared/codec.js'
import { SUBPROTOCOL } from '../../../shared/messages.js'
import { Client, type ClientOptions } from '../client.js'
import type { Running } from '../contenders.js'
import { bodyOf, step2, updateOf } from '../dialect.js'
import { MiB, sleep, until } from '../figures.js'
import { type Figures, fixed, type Line, STORING } from '../line.js'
import { cpuSeconds, peakBytes } from '../usage.js'
import { AUTHOR, paper, type Typed } from './trace.js'

const DOCUMENT = 'paper'
const AT_ONCE = 200
const JOINS = 100
const LACKING = 260
const RECONNECTS = 200
/** Kinds of reconnects take turns, since code gets faster meanwhile; and CPU is counted in hundredths of a second. */
const ROUNDS = 4
const IDLE_CPU_SECONDS = 0.02

/** Resolves when a server has nothing to do any more: what it stores in the background is stored. */
const idle = async ({ pid }: Running): Promise<void> => {
  for (let quiet = 0; quiet < 4; ) {
    const before = cpuSeconds(pid)
    await sleep(500)
    quiet = cpuSeconds(pid) - before < IDLE_CPU_SECONDS ? quiet + 1 : 0
  }
}

/** The author's clock after all of them. */
const clocksOf = (updates: readonly Uint8Array[]): number => {
  for (const update of [...updates].reverse()) {
    const last = Y.decodeUpdate(update).structs.at(-1)
    if (last) return last.id.clock + last.length
  }
  return 0
}

/** Types the whole trace; resolves when all of it is durable, or, with a server that doesn't say, has come back out. */
const type = async (server: Running, { updates, text }: Typed): Promise<Figures> => {
  const clocks = clocksOf(updates)
  let durable = 0
  /** What the reader heard, and hasn't looked at. */
  let heard: Uint8Array[] = []
  let came = 0
  const read = new Y.Doc()
  const look = (): boolean => {
    const messages = heard
    heard = []
    read.transact(() => {
      for (const message of messages) Y.applyUpdate(read, bodyOf(message, 0))
    })
    return Y.getState(read.store, AUTHOR) === clocks && read.getText('text').length === text.length
  }
  const reader = await Client.open(server.url, {
    dialect: server.dialect,
    document: DOCUMENT,
    onMessage: (kind, bytes, at, end) => {
      if (kind !== 'update') return
      heard.push(bytes.subarray(at, end))
      came++
    },
  })
  const author = await Client.open(server.url, {
    dialect: server.dialect,
    document: DOCUMENT,
    ...(server.extended ? { protocol: SUBPROTOCOL } : {}),
    onMessage: (kind, bytes, at, end) => {
      if (!server.extended || kind !== 'other') return
      const message = decodeMessage(bytes.subarray(at, end))
      if (message.type === 'ack') ({ durable } = message)
    },
  })
  const cpu = cpuSeconds(server.pid)
  const start = performance.now()
  for (let i = 0; i < updates.length; i += AT_ONCE) {
    const room = author.sendAll(updates.slice(i, i + AT_ONCE).map(updateOf))
    if (!room) await once(author.socket, 'drain')
    else if (i % (AT_ONCE * 20) === 0) await sleep(0)
  }
  const all = () => (server.extended ? durable >= updates.length : look())
  // A peer that has lost something would be waited for in vain.
  await until('everything is durable', all, 60_000, () => durable + came)
  const seconds = (performance.now() - start) / 1000
  await until('the reader has everything', look)
  await idle(server)
  const figures = {
    rate: updates.length / seconds,
    cpu: ((cpuSeconds(server.pid) - cpu) / updates.length) * 1e6,
    rss: peakBytes(server.pid) / MiB,
  }
  reader.close()
  author.close()
  return figures
}

const open = async (server: Running, text: string): Promise<Figures> => {
  const doc = new Y.Doc()
  let apply = 0
  const start = performance.now()
  const client = await Client.open(server.url, {
    dialect: server.dialect,
    document: DOCUMENT,
    onMessage: (kind, payload, at) => {
      if (kind !== 'step2' && kind !== 'update') return
      const began = performance.now()
      Y.applyUpdate(doc, bodyOf(payload, at))
      apply += performance.now() - began
    },
  })
  await until('the text is there', () => doc.getText('text').length === text.length)
  const cold = performance.now() - start
  client.close()
  if (doc.getText('text').toString() !== text) throw new Error('another text came back')
  return { cold, apply }
}

/** What a connection costs: server CPU in ms, and bytes. */
interface Found {
  cpu: number
  bytes: number
}

/** Server CPU of `count` connections, ms each; all at once, or one after the other. */
const connections = async (
  server: Running,
  count: number,
  options: Partial<ClientOptions>,
  together: boolean,
): Promise<Found> => {
  const connect = () => Client.open(server.url, { dialect: server.dialect, document: DOCUMENT, ...options })
  await sleep(300)
  const cpu = cpuSeconds(server.pid)
  const clients: Client[] = []
  if (together) clients.push(...(await Promise.all(Array.from({ length: count }, connect))))
  else
    for (let i = 0; i < count; i++) {
      const client = await connect()
      clients.push(client)
      client.close()
    }
  await sleep(300)
  const used = cpuSeconds(server.pid) - cpu
  const bytes = clients[0]?.bytesIn ?? 0
  for (const client of clients) client.close()
  return { cpu: (used / count) * 1000, bytes }
}

const reconnecting = async (
  server: Running,
  lacking: Y.Doc,
  last: readonly Uint8Array[],
): Promise<Figures> => {
  const hello = server.extended ? await helloOf(server) : null
  await typeOn(server, last)
  const stateVector = Y.encodeStateVector(lacking)
  // A client that has nothing new says so with its whole delete set.
  const answer = step2(Y.encodeStateAsUpdate(lacking, stateVector))
  // Somebody keeps the document open.
  const staying = await Client.open(server.url, { dialect: server.dialect, document: DOCUMENT })
  const kinds: Partial<ClientOptions>[] = [{ document: 'empty' }, { stateVector, answer }]
  if (hello) {
    kinds.push({
      protocol: SUBPROTOCOL,
      stateVector,
      answer: step2(Uint8Array.of(0, 0)),
      first: [encodeMessage({ type: 'join', generation: hello.generation, seq: hello.seq })],
    })
  }
  const found: Found[] = kinds.map(() => ({ cpu: 0, bytes: 0 }))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, kind] of kinds.entries()) {
      const { cpu, bytes } = await connections(server, RECONNECTS, kind, false)
      const sum = found[i] as Found
      sum.cpu += cpu / ROUNDS
      sum.bytes = bytes
    }
  }
  const [bare, stock, resumed] = found as [Found, Found, Found | undefined]
  const figures = {
    handshake: bare.cpu,
    reconnect: stock.cpu - bare.cpu,
    reconnectBytes: stock.bytes / 1024,
    ...(resumed && { resume: resumed.cpu - bare.cpu, resumeBytes: resumed.bytes / 1024 }),
  }
  staying.close()
  return figures
}

/** The author types the last edits. */
const typeOn = async (server: Running, updates: readonly Uint8Array[]): Promise<void> => {
  const author = await Client.open(server.url, { dialect: server.dialect, document: DOCUMENT })
  author.sendAll(updates.map(updateOf))
  await sleep(1000)
  author.close()
}

const helloOf = async (server: Running) => {
  let hello: Extract<ReturnType<typeof decodeMessage>, { type: 'hello' }> | undefined
  const client = await Client.open(server.url, {
    dialect: server.dialect,
    document: DOCUMENT,
    protocol: SUBPROTOCOL,
    onMessage: (kind, bytes, at, end) => {
      const message = kind === 'other' ? decodeMessage(bytes.subarray(at, end)) : null
      if (message?.type === 'hello') hello = message
    },
  })
  client.close()
  if (!hello) throw new Error('no hello')
  return hello
}

/** The life of a real document: typed, opened after a restart, joined by many, reconnected to. */
export const paperLine = (bench: string): Line => ({
  name: 'paper',
  title: '259,778 keystrokes of a paper, every one stored',
  quick: false,
  contenders: STORING,
  units: {
    rate: 'updates/s',
    cpu: 'µs of CPU an update',
    rss: 'MiB at most',
    cold: 'ms until a client has it after a restart',
    apply: 'ms of it that the client takes to apply it',
    join: 'ms of CPU a join, 100 at once',
    handshake: 'ms of CPU a connection, to an empty document',
    reconnect: `ms of CPU more for one lacking ${LACKING} edits`,
    reconnectBytes: 'KiB of it',
    resume: 'ms of CPU more with resume',
    resumeBytes: 'KiB of it',
  },
  targets: [
    { figure: 'rate', what: '≥ 60,000/s', limit: fixed(60_000), atLeast: true },
    { figure: 'cpu', what: '≤ 15 µs', limit: fixed(15) },
    { figure: 'rss', what: '≤ 130 MB', limit: fixed(130e6 / MiB) },
    { figure: 'cold', what: '≤ 60 ms', limit: fixed(60) },
    { figure: 'join', what: '≤ 0.8 ms', limit: fixed(0.8) },
    { figure: 'reconnect', what: '≤ 0.5 ms', limit: fixed(0.5) },
    { figure: 'resume', what: '≤ 0.2 ms', limit: fixed(0.2) },
    { figure: 'resumeBytes', what: '≤ 3 KB', limit: fixed(3000 / 1024) },
  ],
  run: async (first, replace) => {
    const { updates: all } = paper(bench)
    const [updates, last] = [all.slice(0, -LACKING), all.slice(-LACKING)]
    const written = new Y.Doc()
    written.transact(() => {
      for (const update of updates) Y.applyUpdate(written, update)
    })
    const text = written.getText('text').toString()
    const typed = await type(first, { updates, text })
    // The client's code is warm for whoever comes first, too.
    const whole = Y.encodeStateAsUpdate(written)
    for (let i = 0; i < 5; i++) Y.applyUpdate(new Y.Doc(), whole)
    const server = await first.restart()
    replace(server)
    const cold = await open(server, text)
    const warm = await Client.open(server.url, { dialect: server.dialect, document: DOCUMENT })
    const join = await connections(server, JOINS, {}, true)
    warm.close()
    return { ...typed, ...cold, join: join.cpu, ...(await reconnecting(server, written, last)) }
  },
})
