/** Shows how far a long piece of work has come. */
export interface Progress {
  /** So much more is done. */
  advance(by?: number): void
  /** All is done, or given up. */
  end(): void
}

/** Begins to show a piece of work of `total` steps. */
export type StartProgress = (what: string, total: number) => Progress

/** Where it is shown. */
export interface ProgressOutput {
  /** Whether it is a terminal. */
  readonly isTTY?: boolean
  write(text: string): unknown
}

const BAR_WIDTH = 30
/** A bar is drawn anew this often, milliseconds. */
const REDRAW_MS = 100
/** Where there is no terminal, there is a line this often: short work says nothing. */
const LINE_MS = 5000

/**
 * A bar on a terminal, which is gone when the work is done; plain lines, seconds apart, elsewhere.
 *
 * @param clock milliseconds from any start.
 */
export const showProgress =
  (output: ProgressOutput, clock: () => number): StartProgress =>
  (what, total) => {
    let done = 0
    let shown = clock()
    const draw = output.isTTY
      ? () => output.write(`\r${what} ${bar(done, total)}\x1b[K`)
      : () => output.write(`${what}: ${done} of ${total}\n`)
    const every = output.isTTY ? REDRAW_MS : LINE_MS
    if (output.isTTY) draw()
    return {
      advance: (by = 1) => {
        done += by
        if (clock() - shown < every) return
        shown = clock()
        draw()
      },
      end: () => {
        if (output.isTTY) output.write('\r\x1b[K')
      },
    }
  }

/** @example bar(1, 2) // '███████████████░░░░░░░░░░░░░░░  50% 1/2' */
export const bar = (done: number, total: number): string => {
  const share = total === 0 ? 1 : Math.min(done / total, 1)
  const full = Math.floor(share * BAR_WIDTH)
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${percent} ${done}/${total}`
}

/** Shows nothing. */
export const noProgress: StartProgress = () => ({ advance: () => undefined, end: () => undefined })
