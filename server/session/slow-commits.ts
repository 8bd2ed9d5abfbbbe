import type { SlowCommits } from './session.js'

/** A commit takes a millisecond or so; an author who waits longer is told that the edit has at least arrived. */
const PATIENCE_MS = 100

/**
 * One timer for all authors whose updates aren't durable yet. Most never hear of it: the ack that follows the
 * commit says both, received and durable (PROTOCOL X4).
 */
export const createSlowCommits = (patienceMs: number = PATIENCE_MS): SlowCommits & { dispose(): void } => {
  const watched = new Set<{ sendAck(): void }>()
  let timer: NodeJS.Timeout | null = null
  const tell = (): void => {
    timer = null
    const due = [...watched]
    watched.clear()
    for (const session of due) session.sendAck()
  }
  return {
    watch(session) {
      watched.add(session)
      timer ??= setTimeout(tell, patienceMs)
    },
    forget(session) {
      watched.delete(session)
    },
    dispose() {
      if (timer) clearTimeout(timer)
      timer = null
      watched.clear()
    },
  }
}
