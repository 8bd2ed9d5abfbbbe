/** The command line, with the real process around it. Importing it runs it. */
import { buffer } from 'node:stream/consumers'
import type { Io, Parts } from './cli/context.js'
import { run } from './cli/run.js'
import { openLevelJournal } from './journal/level.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
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

// Whoever reads stdout (`head`, say) may have had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const parts: Parts = {
  createServer: async (options) => (await import('./server.js')).createServer(options),
  openJournal: openLevelJournal,
}

const code = await run(process.argv.slice(2), io, parts)

/** Resolves when everything written before has left the process. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()))

await flushed(process.stdout)
await flushed(process.stderr)
// Nothing may keep the process beyond its last word.
process.exit(code)
