import { encodeMessage } from '../../shared/codec.js'
import type { DocumentIndex } from '../update/document-index.js'
import { TRUSTED_LIMITS } from '../update/limits.js'
import { scanUpdate } from '../update/scan.js'
import { Splicer } from '../update/splice.js'
import type { Clocks } from '../update/state-vector.js'
import { frame } from '../websocket/frame.js'
import { type Answer, answerBytes, updateMessage } from './answer.js'
import type { Tail } from './tail.js'

/** With more updates than this since its mark, a client is answered sooner by its state vector. */
const MOST_UPDATES = 20_000
const MOST_ANSWERS = 16

/** PROTOCOL W4: nothing is missing any more. */
export const END_OF_ANSWER = frame(encodeMessage({ type: 'syncStep2', update: Uint8Array.of(0, 0) }))

/** What came after a `seq`. */
interface Since {
  readonly answer: Answer
  /** By author: the clocks of its structs in it. */
  readonly news: ReadonlyMap<number, { readonly start: number; readonly end: number }>
}

/**
 * Answers for those who know up to where they lack nothing (PROTOCOL X3), made of the tail alone. Of one version,
 * once for each `seq`: after an outage everybody comes back from the same one.
 */
export class Resume {
  readonly #tail: Tail
  readonly #index: DocumentIndex
  readonly #answers = new Map<number, Since>()

  constructor(tail: Tail, index: DocumentIndex) {
    this.#tail = tail
    this.#index = index
  }

  /** Bytes of the answers that are kept. */
  get held(): number {
    let bytes = 0
    for (const { answer } of this.#answers.values()) bytes += answerBytes(answer)
    return bytes
  }

  /**
   * What brings up one who lacks nothing up to `seq`; `null` when the updates since aren't held any more.
   *
   * @param holds what it says it holds.
   */
  since(seq: number, holds: Clocks): Answer | null {
    const { firstSeq, lastSeq } = this.#tail
    if (seq < firstSeq - 1 || seq > lastSeq || lastSeq - seq > MOST_UPDATES) return null
    const since = this.#answers.get(seq) ?? this.#make(seq)
    // A disk that lost what it had called durable gives numbers out anew; state vectors tell.
    let lost = false
    this.#index.forEachClock((client, clock) => {
      const held = holds.get(client) ?? 0
      if (held >= clock) return
      const news = since.news.get(client)
      if (!news || held < news.start || news.end < clock) lost = true
    })
    return lost ? null : since.answer
  }

  #make(seq: number): Since {
    const splicer = new Splicer()
    const news = new Map<number, { start: number; end: number }>()
    for (const update of this.#tail.updates(seq + 1, this.#tail.lastSeq)) {
      const scan = scanUpdate(update, TRUSTED_LIMITS)
      splicer.add(scan)
      for (const { client, clock, end } of scan.blocks) {
        const known = news.get(client) ?? { start: clock, end }
        news.set(client, { start: Math.min(clock, known.start), end: Math.max(end, known.end) })
      }
    }
    const nothing = seq === this.#tail.lastSeq
    const answer = nothing ? [END_OF_ANSWER] : [updateMessage('syncStep2', splicer.parts())]
    if (this.#answers.size < MOST_ANSWERS) this.#answers.set(seq, { news, answer })
    return { news, answer }
  }
}
