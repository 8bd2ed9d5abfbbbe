import * as Y from 'yjs'
import { InkwireProvider } from '../index.js'
import { bindTextarea } from '../textarea/index.js'
import { type Connection, followConnection } from './connection.js'
import type { User } from './people.js'

/**
 * A document that this window has open: shown in a textarea, or left behind with edits that must still reach
 * the server's disk.
 */
export class OpenDocument {
  readonly name: string
  readonly provider: InkwireProvider
  /** The last edit that the server refused. */
  refusal: { readonly code: number; readonly reason: string } | null = null
  readonly #doc = new Y.Doc()
  #connection: Connection = { state: 'connecting' }

  /**
   * @param server where the documents are, as a WebSocket URL
   * @param changed called when anything that the status bar is about may have changed
   * @throws InkwireError INKWIRE_BAD_NAME for a name that no address can carry
   */
  constructor(server: string, name: string, changed: () => void) {
    this.name = name
    this.provider = new InkwireProvider(server, name, this.#doc)
    followConnection(this.provider, (connection) => {
      this.#connection = connection
      changed()
    })
    this.provider.on('save', changed)
    this.provider.on('access', changed)
    this.provider.on('rejected', ({ code, reason, retried }) => {
      if (!retried) this.refusal = { code, reason }
      changed()
    })
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Edits that exist nowhere safer than in this window, as far as anybody knows. */
  get unsafeEdits(): number {
    return this.provider.saveState.pending
  }

  /**
   * Shows the document in a textarea.
   *
   * @param others called when somebody came, left or changed
   * @returns how to stop: the textarea is free for another document, and others no longer see us in this one.
   */
  show(textarea: HTMLTextAreaElement, others: () => void): () => void {
    const { awareness } = this.provider
    const binding = bindTextarea(this.#doc.getText('text'), textarea, { awareness })
    awareness.on('change', others)
    return () => {
      awareness.off('change', others)
      binding.destroy()
      awareness.setLocalState(null)
    }
  }

  /** Tells the others who is here. */
  introduce(user: User): void {
    const { awareness } = this.provider
    awareness.setLocalState({ ...awareness.getLocalState(), user })
  }

  destroy(): void {
    this.#doc.destroy()
  }
}
