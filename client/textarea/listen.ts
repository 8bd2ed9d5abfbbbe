/** What tells of events by name, each of its own kind: an awareness, a provider, an undo manager. */
export interface Emitter {
  on(event: never, listener: never): unknown
  off(event: never, listener: never): unknown
}

/** Listens until `signal` ends it. An event that the emitter doesn't have is never heard of. */
export const listen = <Event>(
  signal: AbortSignal,
  emitter: Emitter,
  event: string,
  listener: (event: Event) => void,
): void => {
  emitter.on(event as never, listener as never)
  signal.addEventListener('abort', () => emitter.off(event as never, listener as never))
}
