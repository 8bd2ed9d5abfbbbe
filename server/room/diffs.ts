import { type Answer, answerBytes } from './answer.js'

const MOST = 16
/** A state vector of a document with thousands of authors is no key. */
const LONGEST_BYTES = 16 * 1024

/**
 * Answers of one version of a document, by what the asker said it holds; with another version they are thrown away.
 * After an outage many come back who hold the same: a diff of a large document is made once for all of them.
 */
export class Diffs {
  /** With the bytes of each; the one that was of use longest ago first. */
  readonly #answers = new Map<string, { readonly answer: Answer; readonly bytes: number }>()
  #held = 0

  /** Bytes that they take. */
  get held(): number {
    return this.#held
  }

  /**
   * @param stateVector what the asker sent, encoded.
   * @param shared bytes that aren't counted, since they are held anyway.
   * @param make makes the answer if it isn't here; `null` if that can't be done now.
   */
  get(stateVector: Uint8Array, shared: Uint8Array | undefined, make: () => Answer | null): Answer | null {
    if (stateVector.length > LONGEST_BYTES) return make()
    const key = Buffer.from(stateVector).toString('latin1')
    const known = this.#answers.get(key)
    const answer = known?.answer ?? make()
    if (answer === null) return null
    const bytes = known?.bytes ?? answerBytes(answer, shared)
    this.#forget(key)
    this.#answers.set(key, { answer, bytes })
    this.#held += bytes
    const [oldest] = this.#answers.keys()
    if (this.#answers.size > MOST && oldest !== undefined) this.#forget(oldest)
    return answer
  }

  #forget(key: string): void {
    this.#held -= this.#answers.get(key)?.bytes ?? 0
    this.#answers.delete(key)
  }
}
