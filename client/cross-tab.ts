import { applyAwarenessUpdate } from 'y-protocols/awareness'
import { applyUpdate, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import type { Message } from '../shared/messages.js'
import { farewell, ownPresence } from './presence.js'
import type { Replica } from './replica.js'

/** The part of a BroadcastChannel that is used. */
export interface Channel {
  onmessage: ((event: never) => void) | null
  postMessage(message: unknown): void
  close(): void
}

/** One post on the channel. */
interface Post {
  /** The version of this format; tabs with another one are ignored. */
  readonly inkwire: 1
  readonly generation: string | null
  /** Whether a sync step 1 answers one, and so wants none in return. */
  readonly reply: boolean
  readonly message: Message
}

/**
 * Opens a browser's channel; null where there is none, or where the browser refuses one, as it may when it blocks all
 * of a site's storage. Node has BroadcastChannel, too, but there "the other tabs" would be other users' documents that
 * are rendered in the same process.
 */
export const openChannel = (name: string): Channel | null => {
  try {
    if (globalThis.location) return new BroadcastChannel(name)
  } catch {
    // Refused.
  }
  return null
}

/**
 * Tabs of one browser with the same document, talking directly: edits show at once, and also without a
 * server. Content of another generation is not taken.
 */
export class CrossTab {
  /** Whether the document is changing just now because another tab's did. */
  applying = false
  readonly #channel: Channel
  readonly #replica: Replica
  readonly #merged: (generation: string | null) => void

  /** @param merged another tab's content was taken over; the generation that it is of, if known. */
  constructor(channel: Channel, replica: Replica, merged: (generation: string | null) => void) {
    this.#channel = channel
    this.#replica = replica
    this.#merged = merged
    channel.onmessage = ({ data }: { readonly data: Partial<Post> | null }) => {
      // Only scripts of the same origin can post, so what has our mark is believed.
      if (data?.inkwire === 1) this.#receive(data as Post)
    }
    // Tells the other tabs what this one has, and asks for what they have.
    this.#ask(false)
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

  /** Says farewell. */
  close(): void {
    this.presence(farewell(this.#replica.awareness))
    this.#channel.close()
  }

  #receive({ generation, reply, message }: Post): void {
    const replica = this.#replica
    const { doc, awareness, generation: ours } = replica
    if (generation && ours && generation !== ours) return
    switch (message.type) {
      case 'syncStep1':
        this.#post({ type: 'syncStep2', update: encodeStateAsUpdate(doc, message.stateVector) })
        if (!reply) this.#ask(true)
        break
      case 'syncStep2':
      case 'update':
        this.applying = true
        try {
          applyUpdate(doc, message.update, replica)
        } finally {
          this.applying = false
          this.#merged(generation)
        }
        break
      case 'queryAwareness':
        this.presence(ownPresence(awareness))
        break
      case 'awareness':
        applyAwarenessUpdate(awareness, message.update, replica)
        break
      default:
        // The rest is for servers.
        break
    }
  }

  #ask(reply: boolean): void {
    this.#post({ type: 'syncStep1', stateVector: encodeStateVector(this.#replica.doc) }, reply)
  }

  #post(message: Message, reply = false): void {
    const post: Post = { inkwire: 1, generation: this.#replica.generation, reply, message }
    this.#channel.postMessage(post)
  }
}
