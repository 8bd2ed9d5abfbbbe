import { Bucket } from '../limits/bucket.js'
import type { Member } from './member.js'

/** How often one may be asked: at once, and per second. An honest one is, hardly ever, once. */
const MOST_QUESTIONS = 20
const QUESTIONS_PER_SECOND = 1

/** What asking is told about its surroundings. */
export interface QuestionsDeps {
  /** The document's state vector, encoded. */
  readonly stateVector: () => Uint8Array
  /** Milliseconds, monotonic. */
  readonly clock: () => number
}

/**
 * Asks members for what their updates lack (PROTOCOL S5): not again before they have answered, never an endless resync;
 * not before they have read what they were told; and not too often, since to say all that is held takes time in a
 * document of many clients.
 */
export class Questions {
  readonly #deps: QuestionsDeps
  /** Who was asked and hasn't answered. */
  readonly #open = new Set<Member>()
  /** Who is to be asked later. */
  readonly #later = new Set<Member>()
  readonly #buckets = new Map<Member, Bucket>()

  constructor(deps: QuestionsDeps) {
    this.#deps = deps
  }

  /** Asks a member now or later, unless it was asked and hasn't answered yet. */
  ask(member: Member): void {
    if (this.#open.has(member)) return
    if (member.outlet.congested || !this.#bucketOf(member).tryTake(this.#deps.clock())) {
      this.#later.add(member)
      return
    }
    this.#open.add(member)
    member.requestMissing(this.#deps.stateVector())
  }

  /** A member's sync step 2 has come. */
  answered(member: Member): void {
    this.#open.delete(member)
  }

  /** A member's socket has drained, or some time has gone by. */
  retry(member: Member): void {
    if (this.#later.delete(member)) this.ask(member)
  }

  leave(member: Member): void {
    this.#open.delete(member)
    this.#later.delete(member)
    this.#buckets.delete(member)
  }

  #bucketOf(member: Member): Bucket {
    const known = this.#buckets.get(member)
    if (known) return known
    const bucket = new Bucket(QUESTIONS_PER_SECOND, MOST_QUESTIONS, this.#deps.clock())
    this.#buckets.set(member, bucket)
    return bucket
  }
}
