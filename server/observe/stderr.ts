import { writeSync } from 'node:fs'
import { LineWriter } from './line-writer.js'

/**
 * This process's stderr, one for all who write to it, so that their lines keep their order. Written to without Node's
 * stream, which loses the rest of a line on a full disk, and ends for good at the first error.
 */
export const stderr = new LineWriter({
  write: (bytes) => {
    // Asked for its stream, Node makes a pipe say EAGAIN when it is full: otherwise the write would wait for a reader.
    void process.stderr
    return writeSync(2, bytes)
  },
  later: (task, ms) => void setTimeout(task, ms).unref(),
  lost: (lines) => {
    const msg = 'lines of the log are missing here: they could not be written'
    return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lines, msg })}\n`
  },
})
