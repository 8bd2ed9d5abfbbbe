import { encodeMessage } from '../../shared/codec.js'
import { frame } from '../websocket/frame.js'
import type { Member } from './member.js'
import type { Flushable, Turns } from './turns.js'

/** A room may spend one part in this many of a core on signals: edits come first. */
const SHARE = 50
const LONGEST_WINDOW_MS = 1000
const SHORTEST_WINDOW_MS = 1
/** What may wait for the next flush. */
const MOST_BYTES = 256 * 1024

interface Waiting {
  readonly from: Member
  readonly framed: Uint8Array
}

/** What the passing on of signals is told about its surroundings. */
export interface SignalsDeps {
  readonly turns: Turns
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  readonly members: () => Iterable<Member>
}

/**
 * Passes on what members say to each other beside the document (PROTOCOL X10). Nothing of it is kept: whoever is
 * backed up misses it, and when more comes than a room may spend on it, it is refused.
 */
export class Signals implements Flushable {
  readonly #deps: SignalsDeps
  #waiting: Waiting[] = []
  #bytes = 0
  #notBefore = 0
  #callOff: (() => void) | null = null

  constructor(deps: SignalsDeps) {
    this.#deps = deps
  }

  /** @returns whether it is passed on; if not, too much is waiting already. */
  pass(from: Member, data: Uint8Array): boolean {
    const framed = frame(encodeMessage({ type: 'signal', data, user: from.user }))
    if (this.#bytes + framed.length > MOST_BYTES) return false
    if (this.#waiting.length === 0) this.#schedule()
    this.#waiting.push({ from, framed })
    this.#bytes += framed.length
    return true
  }

  flush(): void {
    this.#callOff = null
    const { clock, members } = this.#deps
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    if (waiting.length === 0) return
    const started = clock()
    const senders = new Set(waiting.map(({ from }) => from))
    const shared = [Buffer.concat(waiting.map(({ framed }) => framed))]
    for (const member of members()) {
      if (!member.extended || member.outlet.congested) continue
      if (!senders.has(member)) {
        member.outlet.write(shared)
        continue
      }
      const others = waiting.filter(({ from }) => from !== member).map(({ framed }) => framed)
      if (others.length > 0) member.outlet.write(others)
    }
    const now = clock()
    this.#notBefore = now + Math.min(LONGEST_WINDOW_MS, (now - started) * SHARE)
  }

  dispose(): void {
    this.#callOff?.()
    this.#waiting = []
  }

  #schedule(): void {
    const wait = this.#notBefore - this.#deps.clock()
    if (wait < SHORTEST_WINDOW_MS) this.#deps.turns.soon(this)
    else this.#callOff = this.#deps.turns.later(this, wait)
  }
}
