import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import * as Y from 'yjs'
import { metric } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { until } from '../support/until.js'
import { HonestEditor } from './honest-editor.js'

const ABUSERS = fileURLToPath(new URL('./abusers.mjs', import.meta.url))
const EDITORS = 20
/** How often each types, ms. */
const KEYSTROKE_MS = 100

/** How long keystrokes took to the other editors of their document, ms. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly count: number
}

/** What a run found. */
export interface AbuseReport {
  /** Before the abusers came. */
  readonly quiet: Latencies
  /** With them: in documents that they are in too, and in others. */
  readonly shared: Latencies
  readonly apart: Latencies
  readonly typed: number
  /** Keystrokes that were not acknowledged, or that a newcomer doesn't find. */
  readonly lost: number
  /** Honest editors that were disconnected. */
  readonly disconnected: number
  /** Resident memory of the server, bytes. */
  readonly memory: { readonly before: number; readonly peak: number; readonly after: number }
  /** How late timers ran at worst, ms: here, where the editors are, and in the server. */
  readonly lag: { readonly editors: number; readonly server: number }
  /** What the abusers say they did. */
  readonly abuse: string
}

/**
 * Abusers of all kinds at once against one server, while 20 people edit: 10 of them in documents that abusers are in,
 * 10 in others.
 *
 * @param server a server process.
 */
export const abuse = async (
  server: { readonly ws: string; readonly url: string },
  { seconds, abusers, quietSeconds = 2 }: { seconds: number; abusers: number; quietSeconds?: number },
): Promise<AbuseReport> => {
  let quiet: number[] | null = []
  const shared: number[] = []
  const apart: number[] = []
  const editors = await Promise.all(
    Array.from({ length: EDITORS }, (_, i) => {
      const isShared = i % 2 === 0
      const document = `${isShared ? 'shared' : 'apart'}-${i >> 2}`
      const took = isShared ? shared : apart
      return HonestEditor.open(server.ws, document, i + 1, (ms) => void (quiet ?? took).push(ms))
    }),
  )
  const memory = () => metric(server, 'process_resident_memory_bytes')
  const typing = editors.map((editor, i) => {
    // Not all in the same moment.
    const start = setTimeout(
      () => {
        timers.push(setInterval(() => editor.type(), KEYSTROKE_MS))
      },
      (i * KEYSTROKE_MS) / EDITORS,
    )
    return start
  })
  const timers: NodeJS.Timeout[] = []
  try {
    await pause(quietSeconds * 1000)
    const before = await memory()
    const calm = latencies(quiet)
    quiet = null
    let peak = before
    let serverLag = 0
    // Each look at the metrics starts the measure of the event loop's lag anew.
    const look = async (): Promise<void> => {
      const text = await (await fetch(`${server.url}/metrics`)).text()
      peak = Math.max(peak, Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]))
      const lag = Number(/^inkwire_event_loop_delay_seconds\{quantile="1"\} (\S+)/m.exec(text)?.[1])
      serverLag = Math.max(serverLag, lag * 1000)
    }
    await look()
    serverLag = 0
    const watch = setInterval(() => look().catch(() => undefined), 500)
    const delay = monitorEventLoopDelay({ resolution: 10 })
    delay.enable()
    const report = await runAbusers(server.ws, seconds, abusers)
    clearInterval(watch)
    delay.disable()
    await look()
    for (const timer of [...typing, ...timers]) clearInterval(timer)
    const disconnected = editors.filter(({ closed }) => closed !== null).length
    await until(
      'all is acknowledged',
      () => editors.every(({ typed, durable }) => durable >= typed.length),
      60_000,
    ).catch(() => undefined)
    const lost = await missing(server.ws, editors)
    return {
      quiet: calm,
      shared: latencies(shared),
      apart: latencies(apart),
      typed: editors.reduce((sum, { typed }) => sum + typed.length, 0),
      lost,
      disconnected,
      memory: { before, peak, after: await memory() },
      lag: { editors: Math.round(delay.max / 1e6), server: Math.round(serverLag) },
      abuse: report,
    }
  } finally {
    for (const timer of [...typing, ...timers]) clearInterval(timer)
    for (const editor of editors) editor.leave()
  }
}

const runAbusers = async (ws: string, seconds: number, count: number): Promise<string> => {
  const child = spawn(process.execPath, [ABUSERS, ws, String(seconds), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Abusers sit elsewhere: they must not take the processor that the server runs on.
  setPriority(child.pid ?? 0, constants.priority.PRIORITY_LOW)
  let out = ''
  child.stdout.on('data', (text) => {
    out += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the abusers ended with ${code}`)
  return out.trim()
}

/** How much of what they typed a newcomer doesn't find, or was not acknowledged. */
const missing = async (ws: string, editors: readonly HonestEditor[]): Promise<number> => {
  let lost = 0
  for (const document of new Set(editors.map((each) => each.document))) {
    const reader = await connectRaw(`${ws}/${document}`)
    reader.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
    await until('the document arrives', () => reader.all('syncStep2').length > 0, 60_000)
    const doc = new Y.Doc()
    for (const message of reader.heard) {
      if (message.type === 'update' || message.type === 'syncStep2') Y.applyUpdate(doc, message.update)
    }
    reader.socket.terminate()
    const text = doc.getText('text').toString()
    for (const { typed, durable, document: own } of editors) {
      if (own !== document) continue
      lost += Math.max(0, typed.length - durable)
      for (const each of typed.slice(0, durable)) if (!text.includes(each)) lost++
    }
  }
  return lost
}

const latencies = (all: readonly number[]): Latencies => {
  const sorted = [...all].sort((left, right) => left - right)
  const at = (part: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0) * 10) / 10
  return { p50: at(0.5), p99: at(0.99), max: at(1), count: sorted.length }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
