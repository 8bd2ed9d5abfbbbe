import {
  type Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness'

interface Changes {
  readonly added: readonly number[]
  readonly updated: readonly number[]
  readonly removed: readonly number[]
}

/**
 * Presence on its way in and out. Only our own id is ever sent: what others say about themselves is theirs
 * to say (y-websocket repeats it, PROTOCOL S6).
 */
export class Presence {
  readonly #awareness: Awareness
  readonly #publish: (update: Uint8Array) => void
  #hidden: ReturnType<Awareness['getLocalState']> = null

  /** @param publish called with each change of our own state. */
  constructor(awareness: Awareness, publish: (update: Uint8Array) => void) {
    this.#awareness = awareness
    this.#publish = publish
    awareness.on('update', this.#changed)
  }

  /** Our own state, encoded. */
  own(): Uint8Array {
    return encodeAwarenessUpdate(this.#awareness, [this.#awareness.clientID])
  }

  /** Says again that we are here, with a new clock: at the old one, nobody who saw us leave would listen. */
  announce(): void {
    this.#set(this.#awareness.getLocalState())
  }

  /** Others' presence arrived. */
  receive(update: Uint8Array, origin: object): void {
    applyAwarenessUpdate(this.#awareness, update, origin)
  }

  /**
   * The connection is gone, and with it everybody known from it. Their clocks are forgotten, too, or they
   * would stay invisible on the next connection until their clocks move on.
   */
  forget(origin: object): void {
    const { meta, clientID } = this.#awareness
    const others = [...meta.keys()].filter((id) => id !== clientID)
    removeAwarenessStates(this.#awareness, others, origin)
    for (const id of others) meta.delete(id)
  }

  /** The page goes away, maybe for good: others should not have to wait for a timeout. */
  hide(): void {
    this.#hidden = this.#awareness.getLocalState()
    this.#awareness.setLocalState(null)
  }

  /** The page is back from the browser's back/forward cache. */
  show(): void {
    this.#set(this.#hidden)
  }

  destroy(): void {
    this.#awareness.off('update', this.#changed)
  }

  #set(state: ReturnType<Awareness['getLocalState']>): void {
    if (state) this.#awareness.setLocalState(state)
  }

  readonly #changed = ({ added, updated, removed }: Changes): void => {
    if ([...added, ...updated, ...removed].includes(this.#awareness.clientID)) this.#publish(this.own())
  }
}
