import type { Durability } from '../shared/messages.js'

/**
 * Where the edits of this device are. Immutable, and the same object until something changes.
 *
 * An edit is one local Yjs update. It counts as durable only when the server has acknowledged the message
 * that carried it, on the connection that carried it (PROTOCOL X4).
 *
 * @example
 *   const { status, pending, oldestPending } = provider.saveState
 *   const since = new Date(oldestPending ?? 0)
 *   if (status === 'device' && pending > 0) show(`${pending} edits are only here, since ${since}`)
 */
export interface SaveState {
  /**
   * The least safe place that any edit is in:
   * - `rejected`: the server refused an edit; it exists on this device only, and isn't sent again by itself.
   * - `device`: an edit is only on this device, as far as anybody knows.
   * - `received`: all edits reached the server; some are not durable yet.
   * - `saved`: every edit is durable on the server.
   * - `unknown`: no server has confirmed anything: before the first connection is complete, or on a
   *   connection to a server that doesn't say what it saved.
   */
  readonly status: 'rejected' | 'device' | 'received' | 'saved' | 'unknown'
  /** Whether the server says what is durable; null before the first connection. */
  readonly supported: boolean | null
  /** What the server's word "durable" rests on; null when it doesn't say. */
  readonly durability: Durability | null
  /** Edits that are not known to be durable, rejected ones included. */
  readonly pending: number
  /** Of the pending ones, those that reached the server on this connection. */
  readonly received: number
  /** Of the pending ones, those that the server refused. */
  readonly rejected: number
  /** Edits known to be durable, since the provider was made. */
  readonly durable: number
  /** When the oldest pending edit was made, ms since 1970; null when none is pending. */
  readonly oldestPending: number | null
}

interface Edits {
  readonly count: number
  /** When the first of them was made, ms since 1970; Infinity for none. */
  readonly since: number
}

/** One message of this connection that isn't known to be durable. */
export interface Sent extends Edits {
  readonly update: Uint8Array
}

const NONE: Edits = { count: 0, since: Infinity }

const plus = (a: Edits, b: Edits): Edits => ({
  count: a.count + b.count,
  since: Math.min(a.since, b.since),
})

/**
 * Which edit travels in which message, and what the server said about it. No I/O, no clock.
 *
 * The rules that keep `saved` true:
 * - An edit is durable only through an ack that covers the message that carries it, on the same connection.
 * - An update message carries exactly the one edit that it was made for. A sync step 2 carries everything
 *   that isn't durable, refused edits included, because it holds all that the server lacks.
 * - When a connection ends, whatever it did not confirm is back on the device.
 * - An ack can't be about messages that were not sent yet.
 */
export class Ledger {
  #total = 0
  #device = NONE
  #rejected = NONE
  /** Messages of this connection by number, and how many were sent, arrived, and are durable. */
  readonly #messages = new Map<number, Sent>()
  #sent = 0
  #arrived = 0
  #settled = 0
  /** Edits in `#messages`, and those of them whose message arrived. */
  #flying = 0
  #received = 0
  /** Whether any message was ever durable. Before that, "nothing pending" means nothing. */
  #confirmed = false
  #connected = false
  /** Whether later edits may be durable before earlier ones, which were refused and may be offered again. */
  #disordered = false
  /** What the present or last server's acks rest on; null: it sends none; undefined: there was no server yet. */
  #durability: Durability | null | undefined

  /** How many edits there ever were; to be handed to {@link Ledger.isDurable}. */
  get total(): number {
    return this.#total
  }

  /** The number of the last message. */
  get sent(): number {
    return this.#sent
  }

  /** The connection's server has shown that it acknowledges (`durability`) or that it doesn't (null). */
  begin(durability: Durability | null): void {
    this.#connected = true
    this.#durability = durability
  }

  /** An edit was made that can't be sent now; the next sync step 2 will carry it. */
  hold(now: number): void {
    this.#device = plus(this.#device, this.#edit(now))
  }

  /** Edits of an earlier page that the device kept, and that nobody is known to have saved. */
  adopt(edits: Edits): void {
    this.#total += edits.count
    this.#device = plus(this.#device, edits)
  }

  /** The pending edits, as {@link Ledger.adopt} takes them; null when there are none. */
  unsaved(): Edits | null {
    const edits = this.#pending()
    return edits.count > 0 ? edits : null
  }

  /**
   * An update message is sent with an edit that was just made; or a sync step 2 with everything. If that
   * carries something although every edit is durable, then the server lost data, or we hold an edit of
   * somebody else that was lost with it: that counts as an edit.
   *
   * @param whole whether it is a sync step 2.
   * @param fits false: the server would not take so large a message, so it isn't sent and counts as refused.
   * @returns the number of edits in it.
   */
  send(update: Uint8Array, now: number, whole: boolean, fits: boolean): number {
    const edits = whole ? this.#takeAll(update, now) : this.#edit(now)
    if (!fits) {
      this.#rejected = plus(this.#rejected, edits)
      this.#disordered = true
    }
    // Without acks, an edit never gets anywhere safer than this device.
    else if (!this.#durability) this.#device = plus(this.#device, edits)
    else {
      this.#messages.set(++this.#sent, { ...edits, update })
      this.#flying += edits.count
    }
    return edits.count
  }

  /** A message is sent that carries no edit and is there for its ack. */
  sendProbe(update: Uint8Array): void {
    this.#messages.set(++this.#sent, { ...NONE, update })
  }

  /** The server says how many messages arrived and how many are durable (PROTOCOL X4). */
  ack(received: number, durable: number): void {
    const settled = Math.min(durable, this.#sent)
    const arrived = Math.min(Math.max(received, durable), this.#sent)
    while (this.#arrived < arrived) this.#received += this.#messages.get(++this.#arrived)?.count ?? 0
    while (this.#settled < settled) {
      this.#remove(++this.#settled)
      this.#confirmed = true
    }
    if (this.#pending().count === 0) this.#disordered = false
  }

  /**
   * The server refused a message (PROTOCOL X5).
   *
   * @param again whether its edits will be offered again; otherwise they are rejected.
   * @returns the message, if it isn't known to be durable.
   */
  reject(number: number, again: boolean): Sent | undefined {
    const sent = this.#remove(number)
    if (sent) {
      this.#disordered = true
      if (again) this.#device = plus(this.#device, sent)
      else this.#rejected = plus(this.#rejected, sent)
    }
    return sent
  }

  /** The connection ended: what it didn't confirm is on this device only, as far as anybody knows. */
  end(): void {
    this.#device = this.#unsent()
    this.#messages.clear()
    this.#connected = false
    this.#sent = this.#arrived = this.#settled = this.#flying = this.#received = 0
  }

  /**
   * Whether each of the first `total` edits is durable, and a server said so. Messages become durable in the
   * order in which they were sent, and so do edits, unless some were refused or wait on the device: then nothing
   * is said before all of them are durable.
   */
  isDurable(total: number): boolean {
    const { pending, durable } = this.state()
    const flying = this.#disordered ? 0 : this.#flying
    return this.#isConfirmed() && pending === flying && durable >= total
  }

  /** The present state, as a new object. */
  state(): SaveState {
    const { count, since } = this.#pending()
    return {
      status: this.#status(count),
      supported: this.#durability === undefined ? null : this.#durability !== null,
      durability: this.#durability ?? null,
      pending: count,
      received: this.#received,
      rejected: this.#rejected.count,
      durable: this.#total - count,
      oldestPending: count > 0 ? since : null,
    }
  }

  #status(pending: number): SaveState['status'] {
    if (this.#rejected.count > 0) return 'rejected'
    if (this.#connected && !this.#durability) return 'unknown'
    if (pending > this.#received) return 'device'
    if (pending > 0) return 'received'
    return this.#isConfirmed() ? 'saved' : 'unknown'
  }

  #isConfirmed(): boolean {
    return this.#confirmed && !!this.#durability
  }

  #edit(since: number): Edits {
    this.#total++
    return { count: 1, since }
  }

  #takeAll(update: Uint8Array, now: number): Edits {
    const edits = this.#pending()
    this.#device = this.#rejected = NONE
    this.#messages.clear()
    this.#flying = this.#received = 0
    return edits.count === 0 && hasStructs(update) ? this.#edit(now) : edits
  }

  #remove(number: number): Sent | undefined {
    const sent = this.#messages.get(number)
    if (!sent) return undefined
    this.#messages.delete(number)
    this.#flying -= sent.count
    if (number <= this.#arrived) this.#received -= sent.count
    return sent
  }

  /** The edits that are neither durable nor rejected. */
  #unsent(): Edits {
    // Each message's edits are older than the next one's.
    let first: Edits = NONE
    for (first of this.#messages.values()) if (first.count > 0) break
    return plus(this.#device, { count: this.#flying, since: first.since })
  }

  #pending(): Edits {
    return plus(this.#unsent(), this.#rejected)
  }
}

/** An update without structs and without deletions is the two bytes 00 00. */
export const isEmptyUpdate = (update: Uint8Array): boolean => update.length <= 2

/** An update starts with the number of clients whose structs it has; deletions come later. */
const hasStructs = (update: Uint8Array): boolean => update[0] !== 0
