/** The command line, with the real process around it. Importing it runs it. */
import { fstatSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { FAILED, type Io, OK, type Parts } from './cli/context.js'
import { explain } from './cli/explain.js'
import { run } from './cli/run.js'
import { openDataFolder } from './data-folder.js'
import { stderr } from './observe/stderr.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** How long a server that has stopped waits for somebody to read its last words, ms. */
const LAST_WORDS_MS = 1000
/** How long between two looks whether somebody does, ms. */
const LOOK_MS = 10

/** Whether this is a server's process: what it says is of less worth than what it does. */
let serving = false

/** Whether stdout is a file: Node's own stream takes a part that a full disk took for all of it. */
const toFile = fstatSync(process.stdout.fd).isFile()
const print = (chunk: string | Uint8Array): boolean => {
  if (!toFile) return process.stdout.write(chunk)
  try {
    writeFileSync(process.stdout.fd, chunk)
  } catch (error) {
    failed(error as NodeJS.ErrnoException)
  }
  return true
}

const io: Io = {
  stdout: { isTTY: process.stdout.isTTY, write: print },
  // In order with the log's lines.
  stderr: { isTTY: process.stderr.isTTY, write: (chunk) => stderr.write(chunk) },
  env: process.env,
  readInput: () => buffer(process.stdin),
  onSignal: (listener) => {
    for (const signal of SIGNALS) process.on(signal, listener)
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    }
  },
  exit: (code) => process.exit(code),
}

function failed(error: NodeJS.ErrnoException): void {
  if (serving) return
  // Whoever reads stdout (`head`, say) may have had enough.
  if (error.code === 'EPIPE') process.exit(OK)
  stderr.write(`inkwire: ${explain(Object.assign(error, { path: 'stdout' })).line}\n`)
  process.exit(FAILED)
}
process.stdout.on('error', failed)
// Only Node itself writes there, its warnings: not worth an end.
process.stderr.on('error', () => undefined)

const parts: Parts = {
  createServer: async (options) => {
    serving = true
    return (await import('./server.js')).createServer(options)
  },
  openJournal: openDataFolder,
}

const code = await run(process.argv.slice(2), io, parts)

/** Resolves when everything written before has left the process. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()))

const printed = flushed(process.stdout)
await (serving ? Promise.race([printed, sleep(LAST_WORDS_MS)]) : printed)
const deadline = serving ? performance.now() + LAST_WORDS_MS : Number.POSITIVE_INFINITY
while (stderr.retry() && performance.now() < deadline) await sleep(LOOK_MS)
// Nothing may keep the process beyond its last word.
process.exit(code)
