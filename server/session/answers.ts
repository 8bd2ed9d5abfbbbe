import { encodeMessage } from '../../shared/codec.js'
import { Bucket } from '../limits/bucket.js'
import { type Answer, deliver, type Outlet } from '../room/answer.js'
import { frame } from '../websocket/frame.js'

/** PROTOCOL W6: who asks gets an answer, also when nobody is here. */
const NOBODY = frame(encodeMessage({ type: 'awareness', update: Uint8Array.of(0) }))

/** Who asks, and where answers come from. */
export interface Asker {
  /** Where answers go. */
  readonly outlet: Outlet
  /** What brings the asker up to date; null if that takes time: {@link Answers.give} is called then. */
  content(stateVector: Uint8Array): Answer | null
  /** That has been sent. */
  answered(): void
  /** One frame that says who is here; null when nobody is. */
  present(): Uint8Array | null
  /** Runs what was put off, and deals with what it throws. */
  later(task: () => void): void
}

/**
 * Answers what a client asks: sync step 1 and query awareness. What comes while its socket is backed up, or too
 * often, is answered later, and of several the latest (PROTOCOL S9).
 */
export class Answers {
  readonly #asker: Asker
  readonly #clock: () => number
  readonly #questions: Bucket
  #stateVector: Uint8Array | null = null
  /** The question at hand was counted already: it could not be answered the first time. */
  #asked = false
  #presence = false
  #timer: NodeJS.Timeout | null = null

  constructor(asker: Asker, perMinute: number, clock: () => number) {
    this.#asker = asker
    this.#clock = clock
    this.#questions = new Bucket(perMinute / 60, perMinute, clock())
  }

  /** A sync step 1 came. */
  askedForContent(stateVector: Uint8Array): void {
    this.#stateVector = stateVector.slice()
    this.#asked = false
    this.give()
  }

  /** A query awareness came. */
  askedForPresence(): void {
    this.#presence = true
    this.give()
  }

  /** Answers what is left to be answered, as far as that is possible now. */
  give(): void {
    if (this.#timer) return
    for (;;) {
      if (this.#asker.outlet.congested || (this.#stateVector === null && !this.#presence)) return
      const now = this.#clock()
      const again = this.#asked && this.#stateVector !== null
      if (!again && !this.#questions.tryTake(now)) {
        this.#timer = setTimeout(
          () => {
            this.#timer = null
            this.#asker.later(() => this.give())
          },
          Math.ceil(this.#questions.waitFor(now)),
        )
        return
      }
      if (this.#stateVector) {
        this.#asked = true
        const answer = this.#asker.content(this.#stateVector)
        if (!answer) return
        this.#stateVector = null
        deliver(this.#asker.outlet, answer)
        this.#asker.answered()
      } else {
        this.#presence = false
        this.#asker.outlet.write([this.#asker.present() ?? NOBODY])
      }
    }
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer)
  }
}
