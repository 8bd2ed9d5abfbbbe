import type { Message } from '../shared/messages.js'

/** The part of a BroadcastChannel that is used. */
export interface Channel {
  onmessage: ((event: never) => void) | null
  postMessage(message: unknown): void
  close(): void
}

/** What a tab has to say and to do. */
export interface TabHandlers {
  /** The generation that the document's content is known to be of, or ''. */
  generation(): string
  stateVector(): Uint8Array
  /** All that the document holds and a state vector lacks. */
  diff(stateVector: Uint8Array): Uint8Array
  /** Our own presence. */
  presence(): Uint8Array
  /** Another tab's content, of this generation ('' if it doesn't know). */
  update(update: Uint8Array, generation: string): void
  awareness(update: Uint8Array): void
}

/** One post on the channel. */
interface Post {
  /** The version of this format; tabs with another one are ignored. */
  readonly inkwire: 1
  readonly generation: string
  /** Whether a sync step 1 answers one, and so wants none in return. */
  readonly reply: boolean
  readonly message: Message
}

/**
 * Opens a browser's channel; null where there is none. Node has BroadcastChannel, too, but there "the other
 * tabs" would be other users' documents that are rendered in the same process.
 */
export const openChannel = (name: string): Channel | null =>
  typeof BroadcastChannel === 'undefined' || typeof location === 'undefined'
    ? null
    : new BroadcastChannel(name)

/**
 * Tabs of one browser with the same document, talking directly: edits show at once, and also without a
 * server. Content of another generation is not taken.
 */
export class CrossTab {
  readonly #channel: Channel
  readonly #handlers: TabHandlers

  constructor(channel: Channel, handlers: TabHandlers) {
    this.#channel = channel
    this.#handlers = handlers
    channel.onmessage = ({ data }: { data: unknown }) => {
      if (isPost(data)) this.#receive(data)
    }
  }

  /** Tells the other tabs what this one has, and asks for what they have. */
  join(): void {
    this.#post({ type: 'syncStep1', stateVector: this.#handlers.stateVector() })
    this.askPresence()
  }

  /** Asks the other tabs who is there. */
  askPresence(): void {
    this.#post({ type: 'queryAwareness' })
  }

  update(update: Uint8Array): void {
    this.#post({ type: 'update', update })
  }

  presence(update: Uint8Array): void {
    this.#post({ type: 'awareness', update })
  }

  close(): void {
    this.#channel.onmessage = null
    this.#channel.close()
  }

  #receive({ generation, reply, message }: Post): void {
    const ours = this.#handlers.generation()
    if (generation !== '' && ours !== '' && generation !== ours) return
    switch (message.type) {
      case 'syncStep1':
        this.#post({ type: 'syncStep2', update: this.#handlers.diff(message.stateVector) })
        if (!reply) this.#post({ type: 'syncStep1', stateVector: this.#handlers.stateVector() }, true)
        break
      case 'syncStep2':
      case 'update':
        this.#handlers.update(message.update, generation)
        break
      case 'queryAwareness':
        this.presence(this.#handlers.presence())
        break
      case 'awareness':
        this.#handlers.awareness(message.update)
        break
      default:
        // The rest is for servers.
        break
    }
  }

  #post(message: Message, reply = false): void {
    const post: Post = { inkwire: 1, generation: this.#handlers.generation(), reply, message }
    this.#channel.postMessage(post)
  }
}

/** Whether a post is of this version. Only scripts of the same origin can post, so its parts are believed. */
const isPost = (data: unknown): data is Post =>
  typeof data === 'object' && data !== null && 'inkwire' in data && data.inkwire === 1
