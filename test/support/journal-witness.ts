import type { Seen } from '../../server/journal/seen.js'

/** Runs `task` after `ms`; returns how to call it off. Goes by the timers of the test, which may be fake. */
export const later = (ms: number, task: () => void): (() => void) => {
  const timer = setTimeout(task, ms)
  return () => clearTimeout(timer)
}

/** What was seen of a document: of generation 11…, up to update 9, fsynced. */
export const seen = (more: Partial<Seen> = {}): Seen => ({
  generation: '1'.repeat(32),
  seq: 9,
  leaving: false,
  synced: true,
  ...more,
})
