/** The value below which a part `p` (0 to 1) of the samples lie; NaN for none. */
export const percentile = (samples: readonly number[] | Float64Array, p: number): number => {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN
}

/**
 * Of each figure the median of several rounds, the upper one of two.
 *
 * @param worst of these the greatest: what may never happen.
 */
export const middle = (
  rounds: readonly Readonly<Record<string, number>>[],
  worst: readonly string[] = [],
): Record<string, number> => {
  const names = Object.keys(rounds[0] ?? {})
  return Object.fromEntries(
    names.map((name) => {
      const values = rounds.map((round) => round[name] ?? Number.NaN)
      return [name, worst.includes(name) ? Math.max(...values) : percentile(values, 0.5)]
    }),
  )
}

export const MiB = 1024 * 1024

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Resolves once `check` holds; looks every few ms. Throws after `timeoutMs`.
 *
 * @param progress what has come so far: the time counts from its last change. Default: from the beginning.
 */
export const until = async (
  what: string,
  check: () => boolean,
  timeoutMs = 60_000,
  progress: () => number = () => 0,
): Promise<void> => {
  let came = progress()
  for (let end = performance.now() + timeoutMs; !check(); ) {
    const now = performance.now()
    const has = progress()
    if (has !== came) end = now + timeoutMs
    came = has
    if (now > end) throw new Error(`nothing more for ${timeoutMs / 1000} s: ${what}`)
    await sleep(5)
  }
}

/** Calls `send(i)` for i = 0, 1, … at `rate` a second for as many as `count`, evenly; late ones at once. */
export const steadily = async (rate: number, count: number, send: (i: number) => void): Promise<void> => {
  const start = performance.now()
  let sent = 0
  while (sent < count) {
    const due = Math.min(count, Math.floor(((performance.now() - start) / 1000) * rate) + 1)
    while (sent < due) send(sent++)
    await sleep(1)
  }
}
