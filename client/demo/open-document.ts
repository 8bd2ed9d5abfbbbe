import * as Y from 'yjs'
import { InkwireProvider } from '../index.js'
import type { Kind } from './address.js'
import { type Connection, followConnection } from './connection.js'
import type { User } from './people.js'

/** How a document is opened. */
export interface OpenOptions {
  /** Shown to the server; null: none. */
  readonly token: string | null
  /** Whether to go without the server for now. */
  readonly paused: boolean
}

/**
 * A document that this window has open: shown on the page, or left behind with edits that must still reach
 * the server's disk.
 */
export class OpenDocument {
  readonly name: string
  readonly doc = new Y.Doc()
  readonly provider: InkwireProvider
  /** What a plain document consists of. */
  readonly text = this.doc.getText('text')
  /** What a rich one consists of. */
  readonly rich = this.doc.getXmlFragment('rich')
  /** The last edit that the server refused. */
  refusal: { readonly code: number; readonly reason: string } | null = null
  #connection: Connection = { state: 'connecting' }
  #token: string | null
  #paused: boolean
  readonly #wanted: () => void

  /**
   * @param server where the documents are, as a WebSocket URL
   * @param changed called when anything that the status bar is about may have changed
   * @throws InkwireError INKWIRE_BAD_NAME for a name that no address can carry
   */
  constructor(server: string, name: string, { token, paused }: OpenOptions, changed: () => void) {
    this.name = name
    this.#token = token
    this.#paused = paused
    this.provider = new InkwireProvider(server, name, this.doc, {
      // None is an answer, too: the server then says at once that it lets nobody in without.
      token: () => this.#token ?? '',
      connect: !paused,
      offline: true,
    })
    // Nobody looks at it yet.
    this.leave()
    this.#wanted = followConnection(this.provider, (connection) => {
      this.#connection = connection
      changed()
    })
    // What it is made of may come from others. All else that they type is no news to the status bar.
    let content = this.#content
    this.doc.on('update', (_update, _origin, _doc, { local }) => {
      const before = content
      content = this.#content
      if (!local && content !== before) changed()
    })
    this.provider.on('save', changed)
    this.provider.on('device', changed)
    this.provider.on('access', changed)
    this.provider.on('rejected', ({ code, reason, retried }) => {
      if (!retried) this.refusal = { code, reason }
      changed()
    })
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Edits that aren't on the server's disk, as far as anybody knows. */
  get unsafeEdits(): number {
    return this.provider.saveState.pending
  }

  /** Those of them that would be lost with this window, since the browser doesn't keep them either. */
  get fragileEdits(): number {
    return this.provider.device.status === 'stored' ? 0 : this.unsafeEdits
  }

  /** Whether what the browser keeps of it is still being read: unsafe edits may be among it. */
  get loading(): boolean {
    return this.provider.device.status === 'loading'
  }

  /** What the document is, as its content tells; where it tells nothing or both, what `said` says. */
  kindOr(said: Kind): Kind {
    return this.#content ?? said
  }

  get #content(): Kind | null {
    const [plain, rich] = [this.text.length > 0, this.rich.length > 0]
    if (plain === rich) return null
    return plain ? 'plain' : 'rich'
  }

  /** Shows the server another token, if it is another one. */
  identify(token: string | null): void {
    if (token === null || token === this.#token) return
    this.#token = token
    if (this.#paused) return
    this.provider.disconnect()
    this.pause(false)
  }

  /** Goes without the server, and without other windows, or no longer. */
  pause(paused: boolean): void {
    this.#paused = paused
    if (!paused) this.#wanted()
    if (paused) this.provider.disconnect()
    else this.provider.connect()
  }

  /** Tells the others who is here. */
  introduce(user: User): void {
    const { awareness } = this.provider
    awareness.setLocalState({ ...awareness.getLocalState(), user })
  }

  /** Others no longer see us in this document. */
  leave(): void {
    this.provider.awareness.setLocalState(null)
  }

  destroy(): void {
    this.doc.destroy()
  }
}
