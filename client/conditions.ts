import { InkwireError } from '../shared/errors.js'
import type { State } from './machine.js'
import type { Ledger } from './saves.js'

/** Whether all that the server holds is here; an error if it never will be. */
export const isSynced = (state: State): boolean | InkwireError => {
  if (state.name !== 'stopped') return state.name === 'live'
  const { code, reason } = state
  return new InkwireError('INKWIRE_STOPPED', `${code} ${reason}`, { cause: { code, reason } })
}

/** Whether each of the first `edits` edits is durable; an error if they won't be without somebody's doing. */
export const isSaved = (ledger: Ledger, edits: number, { name }: State): boolean | InkwireError => {
  if (ledger.isDurable(edits)) return true
  const { rejected, supported, status } = ledger.state()
  const never = rejected > 0 || supported === false || name === 'stopped'
  return never && new InkwireError('INKWIRE_NOT_SAVED', `${status}, ${name}`)
}
