import type { Awareness } from 'y-protocols/awareness'
import type { Doc } from 'yjs'

/**
 * A document on this device and who is at it, as the parts of its provider see it: the provider itself. It is the
 * transaction origin of what comes from elsewhere.
 */
export interface Replica {
  readonly doc: Doc
  readonly awareness: Awareness
  /** Which history the document's content is of; null while that isn't settled. */
  readonly generation: string | null
}
