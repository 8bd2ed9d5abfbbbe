import type { Condition } from '../update/hindrances.js'
import { type Scan, scanUpdate } from '../update/scan.js'
import { splice } from '../update/splice.js'
import type { Content } from './content.js'
import type { Member } from './member.js'
import type { Owners } from './owners.js'
import { Waiting } from './waiting.js'

/** How many passes look for parts that can only go ahead together. After them, each has to stand for itself. */
const MOST_PASSES = 4
/** How many bytes of parts are looked at together. What is beyond has to stand for itself. */
const MOST_BYTES = 64 * 1024
/**
 * How often, at least, and for how many bytes it is looked again whether a message's own part can go ahead. Then it
 * waits for the rest.
 */
const SOME_TRIES = 4
const MOST_TRIED_BYTES = 64 * 1024
/** How many things that a message's own part lacks are remembered: all of them are looked at with every update. */
const MOST_LACKS = 256

/** A message that holds edits of others. */
export interface HeldMessage {
  readonly author: Member
  /** What is new in it and under nobody else's id; `null` if nothing is, and once that has gone ahead. */
  part: Scan | null
  /** What that was found to lack, and how often that was looked for. */
  lacks: readonly Condition[]
  tries: number
}

/**
 * What becomes of a message with edits under an id that another live connection owns (PROTOCOL S7): it waits until the
 * owner has brought them or is gone. What of it is the sender's own goes ahead, as soon as all that it builds upon is
 * there or goes ahead with it: two that pass on each other's edits, as all do after the server lost some, would wait
 * for each other for ever.
 */
export class ForeignEdits {
  readonly #owners: Owners<Member>
  readonly #content: Pick<Content, 'index' | 'visible'>
  /** Whose last message waits, and for what. */
  readonly #held = new Map<Member, { readonly message: HeldMessage; readonly waiting: Waiting<Member> }>()

  constructor(owners: Owners<Member>, content: Pick<Content, 'index' | 'visible'>) {
    this.#owners = owners
    this.#content = content
  }

  /** Whether an update holds any. */
  areIn(author: Member, scan: Scan): boolean {
    return this.#owners.foreign(author, scan, this.#content.index).length > 0
  }

  /** A message that holds some; it doesn't wait yet. */
  message(author: Member, scan: Scan): HeldMessage {
    const own = this.#owners.ownPart(author, scan)
    const part = own.blocks.length > 0 ? scanUpdate(splice([own])) : null
    return {
      author,
      part: part && this.#content.index.news(part) ? part : null,
      lacks: [],
      tries: 0,
    }
  }

  /** Whether something has come that a message's own part was found to lack. */
  get mayGoAhead(): boolean {
    const { visible } = this.#content
    for (const { message } of this.#held.values()) {
      if (!mayTry(message)) continue
      if (message.lacks.some((lack) => visible.meets(lack))) return true
    }
    return false
  }

  /**
   * Whose own parts can go ahead, together: all that is missing in one is in another.
   *
   * @param one besides those that wait.
   */
  goingAhead(one?: HeldMessage): readonly HeldMessage[] {
    const { visible } = this.#content
    let going = this.#candidates(one)
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      const trial = visible.trial()
      for (const { part } of going) if (part) trial.add(part)
      const shown: HeldMessage[] = []
      for (const each of going) {
        each.lacks = each.part ? trial.hinders(each.part).slice(0, MOST_LACKS) : []
        if (each.lacks.length === 0) shown.push(each)
      }
      if (shown.length === going.length) return going
      going = shown
    }
    return going.filter(({ part }) => part && visible.lack(part) === null)
  }

  #candidates(one: HeldMessage | undefined): readonly HeldMessage[] {
    const candidates: HeldMessage[] = []
    let bytes = 0
    const consider = (message: HeldMessage): void => {
      if (message.part === null || !mayTry(message)) return
      message.tries++
      bytes += message.part.bytes.length
      const lack = bytes <= MOST_BYTES ? null : this.#content.visible.lack(message.part)
      if (lack) message.lacks = [lack]
      else candidates.push(message)
    }
    if (one) consider(one)
    for (const { message } of this.#held.values()) consider(message)
    return candidates
  }

  /**
   * Lets a message wait for what others have yet to bring, and finds out whether these are still there. Its author is
   * told to go on when that is over.
   *
   * @returns false if there is nothing to wait for any more.
   */
  holdBack(message: HeldMessage, scan: Scan): boolean {
    const foreign = this.#owners.foreign(message.author, scan, this.#content.index)
    if (foreign.length === 0) return false
    this.#held.set(message.author, { message, waiting: new Waiting(foreign) })
    for (const owner of new Set(foreign.map((each) => each.owner))) owner.probe()
    return true
  }

  /** A member's message that waits, taken out; `undefined` if none does. */
  take(member: Member): HeldMessage | undefined {
    const held = this.#held.get(member)
    this.#held.delete(member)
    return held?.message
  }

  /** Somebody wrote, left, or showed an id: who has waited for that? */
  letGoOn(): void {
    if (this.#held.size === 0) return
    for (const [member, { waiting }] of [...this.#held]) {
      if (!waiting.isOver(this.#owners, this.#content.index)) continue
      if (this.#held.delete(member)) member.goOn()
    }
  }
}

const mayTry = ({ part, tries }: HeldMessage): boolean =>
  part !== null && (tries < SOME_TRIES || tries * part.bytes.length <= MOST_TRIED_BYTES)
