import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'

/** What a client is told when its document can't be read (PROTOCOL C1). */
export const whyUnreadable = (error: unknown): { readonly code: number; readonly reason: string } => {
  switch (error instanceof InkwireError ? error.code : '') {
    case 'INKWIRE_DOCUMENT_DAMAGED':
    case 'INKWIRE_STORE_FORMAT':
      return { code: Code.documentDamaged, reason: (error as InkwireError).message }
    case 'INKWIRE_STORE_CLOSED':
      return { code: Code.restart, reason: 'the server restarts' }
    default:
      return { code: Code.storageUnavailable, reason: 'the document could not be read' }
  }
}
