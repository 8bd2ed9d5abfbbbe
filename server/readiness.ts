import type { JournalState } from './journal/journal.js'

/** What `/readyz` says. */
export interface Readiness {
  readonly ready: boolean
  /** Why not, in plain words. */
  readonly reasons: readonly string[]
  /** Documents that were found damaged and are refused with 4410; all others are served. */
  readonly damaged: readonly { readonly document: string; readonly reason: string }[]
}

/** What it depends on. */
export interface Condition {
  /** The server is being closed, or has been. */
  readonly stopping: boolean
  /** The journal's state; null before it is open. */
  readonly state: JournalState | null
  /** For how long a write of the journal has stalled, ms; 0 when none has. */
  readonly stalledMs: number
  /** Damaged documents, with the reason. */
  readonly quarantined: ReadonlyMap<string, string>
}

/** Whether documents can be opened and saved right now. One that is damaged doesn't make a server unready. */
export const readinessOf = ({ stopping, state, stalledMs, quarantined }: Condition): Readiness => {
  const reasons: string[] = []
  if (stopping) reasons.push('the server is stopping')
  if (!state) reasons.push('the store is not open yet')
  else if (state.status === 'failing') reasons.push(`the store does not take writes: ${state.reason}`)
  else if (state.status === 'closed' && !stopping) reasons.push('the store is closed')
  if (stalledMs > 0) reasons.push(`the disk has not answered for ${Math.floor(stalledMs / 1000)} s`)
  const damaged = [...quarantined].map(([document, reason]) => ({ document, reason }))
  return { ready: reasons.length === 0, reasons, damaged }
}
