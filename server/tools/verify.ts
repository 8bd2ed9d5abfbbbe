import { InkwireError } from '../../shared/errors.js'
import type { Finding } from '../journal/verify.js'
import type { OpenDocuments } from './documents.js'
import type { StartProgress } from './progress.js'
import { indexOf } from './state.js'

/** What {@link verifyContents} needs. */
export interface VerifyOptions {
  readonly documents: OpenDocuments
  /** Documents that are known to be damaged. */
  readonly except: ReadonlySet<string>
  readonly progress: StartProgress
  readonly signal: AbortSignal
}

/**
 * Checks what the journal can't, which knows no Yjs: that the documents are made of updates.
 *
 * @throws what `documents` throws when the store fails, or the signal's reason.
 */
export async function* verifyContents(options: VerifyOptions): AsyncGenerator<Finding, void, void> {
  const { documents, except, signal } = options
  const names: string[] = []
  for await (const { name } of documents.list()) if (!except.has(name)) names.push(name)
  const progress = options.progress('verify', names.length)
  try {
    for (const name of names) {
      signal.throwIfAborted()
      const finding = await examine(documents, name)
      if (finding) yield finding
      progress.advance()
    }
  } finally {
    progress.end()
  }
}

const examine = async (documents: OpenDocuments, name: string): Promise<Finding | null> => {
  let generation: string | null = null
  try {
    const document = await documents.read(name)
    if (!document) return null
    generation = document.generation
    indexOf(document)
    return null
  } catch (error) {
    if (!(error instanceof InkwireError)) throw error
    switch (error.code) {
      case 'INKWIRE_BAD_UPDATE':
        return { document: name, generation, problem: `it holds bytes that are no update: ${error.message}` }
      case 'INKWIRE_DOCUMENT_DAMAGED':
      case 'INKWIRE_STORE_FORMAT':
        return { document: name, generation, problem: error.message }
      default:
        throw error
    }
  }
}
