/**
 * A worker thread's entry: each export is a job that the pool calls by name. Beside the command line's tools the
 * only place in this server where a `Y.Doc` lives.
 */
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { type ErrorCode, InkwireError } from '../../shared/errors.js'
import { compactUpdates } from './compact.js'
import { type PackedJob, unpackJob } from './pack.js'
import { type RenderFormat, renderDocument } from './render.js'

/** What the pool asks {@link render} for. */
export interface RenderMessage {
  readonly packed: PackedJob
  readonly format: RenderFormat
  readonly root: string | undefined
}

/** An error's code would be lost on its way between threads, so errors of ours travel as data. */
export type RenderReply =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string }

/** Resolves to a `Compacted`. @see compactUpdates */
export const compact = (packed: PackedJob): unknown => {
  const compacted = compactUpdates(unpackJob(packed))
  return move({
    [transferableSymbol]: [compacted.update.buffer, compacted.stateVector.buffer, compacted.index.buffer],
    [valueSymbol]: compacted,
  })
}

/** @see renderDocument */
export const render = ({ packed, format, root }: RenderMessage): RenderReply => {
  try {
    return { ok: true, text: renderDocument(unpackJob(packed), format, root) }
  } catch (error) {
    if (error instanceof InkwireError) return { ok: false, code: error.code, message: error.message }
    throw error
  }
}
