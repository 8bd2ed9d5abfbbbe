import { Code } from '../../shared/codes.js'
import { addressKey } from './address.js'
import { Bucket } from './bucket.js'
import type { Limits } from './limits.js'
import { Tally } from './tally.js'

/** Why somebody can't come in now. */
export interface TurnedAway {
  readonly code: number
  readonly reason: string
}

/** How many addresses are remembered, and as many before them. */
const MOST_ADDRESSES = 10_000

/**
 * Counts who is connected, and says when it is enough: of the whole server, an address, a user, a document. Pure but
 * for its counts.
 */
export class Doorway {
  readonly #limits: Limits
  readonly #clock: () => number
  readonly #addresses: Tally<string>
  readonly #users: Tally<string>
  readonly #documents: Tally<string>
  /** How fast each address opens connections. */
  #opens = new Map<string, Bucket>()
  #olderOpens = new Map<string, Bucket>()
  #connections = 0

  /** @param clock milliseconds, monotonic. */
  constructor(limits: Limits, clock: () => number) {
    this.#limits = limits
    this.#clock = clock
    this.#addresses = new Tally(limits.maxConnectionsPerAddress)
    this.#users = new Tally(limits.maxConnectionsPerUser)
    this.#documents = new Tally(limits.maxConnectionsPerDocument)
  }

  /** A connection from this address; `null` when it is counted in and has to {@link leave}. */
  enter(address: string): TurnedAway | null {
    if (this.#connections >= this.#limits.maxConnections) {
      return { code: Code.tryLater, reason: 'the server has as many connections as it takes' }
    }
    const key = addressKey(address)
    if (key !== null) {
      if (!this.#bucketOf(key).tryTake(this.#clock())) {
        return { code: Code.tooFast, reason: 'too many connections from this address in a minute' }
      }
      if (!this.#addresses.enter(key)) {
        return { code: Code.tooFast, reason: 'too many connections from this address' }
      }
    }
    this.#connections++
    return null
  }

  leave(address: string): void {
    const key = addressKey(address)
    if (key !== null) this.#addresses.leave(key)
    this.#connections--
  }

  /** It turned out who it is and where to; `null` when that is counted in and has to {@link leaveDocument}. */
  enterDocument(document: string, user: string): TurnedAway | null {
    if (!this.#documents.enter(document)) {
      return { code: Code.tryLater, reason: 'the document has as many connections as it takes' }
    }
    if (user !== '' && !this.#users.enter(user)) {
      this.#documents.leave(document)
      return { code: Code.tooFast, reason: 'too many connections of this user' }
    }
    return null
  }

  leaveDocument(document: string, user: string): void {
    this.#documents.leave(document)
    if (user !== '') this.#users.leave(user)
  }

  #bucketOf(key: string): Bucket {
    const { opensPerMinute } = this.#limits
    const known = this.#opens.get(key) ?? this.#olderOpens.get(key)
    const bucket = known ?? new Bucket(opensPerMinute / 60, opensPerMinute, this.#clock())
    if (this.#opens.size >= MOST_ADDRESSES) {
      // Who hasn't come since as many others did is forgotten.
      this.#olderOpens = this.#opens
      this.#opens = new Map()
    }
    this.#opens.set(key, bucket)
    return bucket
  }
}
