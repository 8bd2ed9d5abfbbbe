import { constants, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { LineWriter } from './line-writer.js'

const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants

/** What the process was given as its stderr. */
const GIVEN = 2

/**
 * Has writes end at once, one way or another, also while nobody reads.
 *
 * @returns the descriptor to write to.
 */
const neverWaiting = (): number => {
  if (isatty(GIVEN)) {
    // A terminal that was stopped (Ctrl-S) would stop us, too. Its descriptor is shared with a shell, which must not
    // find it changed; opened anew it is ours. Where it can't be, it stays as it is.
    try {
      return openSync('/proc/self/fd/2', O_WRONLY | O_NONBLOCK | O_NOCTTY)
    } catch {
      return GIVEN
    }
  }
  // Asked for its stream, Node makes a pipe say EAGAIN when it is full: otherwise the write would wait for a reader.
  void process.stderr
  return GIVEN
}

let descriptor: number | undefined

/**
 * This process's stderr, one for all who write to it, so that their lines keep their order. Written to without Node's
 * stream, which loses the rest of a line on a full disk, and ends for good at the first error.
 */
export const stderr = new LineWriter({
  write: (bytes) => {
    descriptor ??= neverWaiting()
    return writeSync(descriptor, bytes)
  },
  later: (task, ms) => void setTimeout(task, ms).unref(),
  lost: (lines) => {
    const msg = 'lines of the log are missing here: they could not be written'
    return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lines, msg })}\n`
  },
})
