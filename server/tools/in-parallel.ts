/**
 * Does `work` for every item, at most `width` at a time. After the first error, or when `signal` aborts, nothing new
 * is started; what is under way is waited for.
 *
 * @throws the first error, or the signal's reason.
 */
export const inParallel = async <T>(
  items: Iterable<T>,
  width: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const iterator = items[Symbol.iterator]()
  const errors: unknown[] = []
  const lane = async (): Promise<void> => {
    while (errors.length === 0 && !signal.aborted) {
      const next = iterator.next()
      if (next.done) return
      try {
        await work(next.value)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  if (errors.length > 0) throw errors[0]
  signal.throwIfAborted()
}
