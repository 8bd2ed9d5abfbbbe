import { Code } from '../../shared/codes.js'
import { addressKey } from './address.js'
import { AddressRates } from './address-rates.js'
import type { Limits } from './limits.js'
import { Tally } from './tally.js'

/** Why somebody can't come in now. */
export interface TurnedAway {
  readonly code: number
  readonly reason: string
}

/**
 * Counts who is connected, and says when it is enough: of the whole server, an address, a user, a document. Pure but
 * for its counts.
 */
export class Doorway {
  readonly #limits: Limits
  readonly #addresses: Tally<string>
  readonly #users: Tally<string>
  readonly #documents: Tally<string>
  readonly #channels: Tally<string>
  readonly #opens: AddressRates
  readonly #requests: AddressRates
  #connections = 0
  #allChannels = 0

  /** @param clock milliseconds, monotonic. */
  constructor(limits: Limits, clock: () => number) {
    this.#limits = limits
    this.#opens = new AddressRates(limits.opensPerMinute, clock)
    this.#requests = new AddressRates(limits.requestsPerMinute, clock)
    this.#addresses = new Tally(limits.maxConnectionsPerAddress)
    this.#channels = new Tally(limits.maxChannelsPerAddress)
    this.#users = new Tally(limits.maxConnectionsPerUser)
    this.#documents = new Tally(limits.maxConnectionsPerDocument)
  }

  /** A connection from this address; `null` when it is counted in and has to {@link leave}. */
  enter(address: string): TurnedAway | null {
    if (this.#connections >= this.#limits.maxConnections) {
      return { code: Code.tryLater, reason: 'the server has as many connections as it takes' }
    }
    if (!this.#opens.tryTake(address)) {
      return { code: Code.tooFast, reason: 'too many connections from this address in a minute' }
    }
    const key = addressKey(address)
    if (key !== null && !this.#addresses.enter(key)) {
      return { code: Code.tooFast, reason: 'too many connections from this address' }
    }
    this.#connections++
    return null
  }

  /** Whether a plain HTTP request of this address is answered; counts it if so. */
  request(address: string): boolean {
    return this.#requests.tryTake(address)
  }

  leave(address: string): void {
    const key = addressKey(address)
    if (key !== null) this.#addresses.leave(key)
    this.#connections--
  }

  /**
   * A document is opened on a shared connection (PROTOCOL X12); `null` when it is counted in and has to
   * {@link leaveChannel}. It takes no socket, so there may be more of them than connections; all else is as if it did.
   */
  enterChannel(address: string): TurnedAway | null {
    if (this.#allChannels >= this.#limits.maxChannels) {
      return {
        code: Code.tryLater,
        reason: 'the server has as many documents on shared connections as it takes',
      }
    }
    if (!this.#opens.tryTake(address)) {
      return { code: Code.tooFast, reason: 'too many connections from this address in a minute' }
    }
    const key = addressKey(address)
    if (key !== null && !this.#channels.enter(key)) {
      return { code: Code.tooFast, reason: 'too many documents on shared connections from this address' }
    }
    this.#allChannels++
    return null
  }

  leaveChannel(address: string): void {
    const key = addressKey(address)
    if (key !== null) this.#channels.leave(key)
    this.#allChannels--
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
}
