import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { encodeMessage } from '../../shared/codec.js'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import { Cursor } from '../update/cursor.js'
import { skipJson } from '../update/json.js'
import { DEFAULT_LIMITS } from '../update/limits.js'
import { frame } from '../websocket/frame.js'
import type { Refused } from './member.js'
import { Owners } from './owners.js'

/** What may be put into a room's presence. Bytes are of states, as JSON. */
export interface PresenceLimits {
  /** Ids that one connection may introduce. A browser's tabs repeat each other's, so more than one. */
  readonly idsPerMember: number
  /** Of one id's state. */
  readonly stateBytes: number
  /** Of all states of one connection. */
  readonly memberBytes: number
  /** Of all states in the room. */
  readonly roomBytes: number
}

/** Generous for cursors and names, small enough that a joiner's share stays bounded. */
export const defaultPresenceLimits: PresenceLimits = {
  idsPerMember: 64,
  stateBytes: 16 * 1024,
  memberBytes: 64 * 1024,
  roomBytes: 2 * 1024 * 1024,
}

/**
 * Clocks count changes: a page that sets its state 100 times a second gets here after a year. Anything near 2^53
 * could never be followed by a greater one.
 */
const LARGEST_CLOCK = 2 ** 32
/** Changes of a known id between two messages about it. */
const LARGEST_STEP = 2 ** 20
/**
 * How many entries of one message are looked at: some milliseconds' work. A stock client repeats in one message whom it
 * heard of in one: thousands, where thousands come or go at once. What is beyond that is others' in any case, and would
 * be ignored; what a client says of itself comes alone. So nobody honest loses anything, and nobody is closed for it.
 */
export const MOST_ENTRIES = 16_384

const TOO_MANY: Refused = { code: Code.tooFast, reason: 'too many presence ids' }
const TOO_LONG: Refused = { code: Code.tooFast, reason: 'too many presence ids in one message' }
const TOO_LARGE: Refused = { code: Code.tooFast, reason: 'too large a presence' }
const IMPLAUSIBLE: Refused = { code: Code.badMessage, reason: 'an implausible presence clock' }

interface State<M> {
  clock: number
  /** The state as JSON in UTF-8, passed on as it came. */
  json: Uint8Array
  owner: M
  /** Whether somebody has heard of the id: then they have to hear when it goes, too. */
  told: boolean
}

/** A state in a message. */
interface Said {
  readonly update: Uint8Array
  /** Where in `update` its length stands; `json` follows it. */
  readonly at: number
  readonly json: Uint8Array
}

/** What one message may still do. */
interface Message {
  /** It is about one id only. */
  readonly alone: boolean
  /** Of states: one that sets the same id again and again would have each of them read. */
  bytesLeft: number
}

/**
 * How many entries of an awareness update are looked at, if it is one.
 *
 * @returns 0 when it isn't.
 */
export const entriesIn = (update: Uint8Array): number => {
  try {
    const count = decoding.readVarUint(decoding.createDecoder(update))
    return Math.floor(Math.min(count, MOST_ENTRIES, update.length / 3))
  } catch {
    return 0
  }
}

/** Receivers take a removal at the last clock they know (y-protocols' awareness). */
const GONE = new TextEncoder().encode('null')

/**
 * Who is here: the latest awareness state of each client id, as bytes. Knows y-protocols' awareness encoding
 * and the rule who may say what (PROTOCOL S6), and nothing of sockets; `M` is whatever stands for a connection.
 */
export class Presence<M> {
  readonly #states = new Map<number, State<M>>()
  readonly #idsOf = new Map<M, Set<number>>()
  readonly #bytesOf = new Map<M, number>()
  #bytes = 0
  /** Ids to tell the members about at the next flush; with a clock for those that have gone. */
  readonly #changed = new Map<number, number | null>()
  readonly #limits: PresenceLimits
  readonly #owners: Owners<M>
  /** Told that a connection says it is whom another one is already: the other may be a remnant. */
  readonly #onContested: (owner: M) => void
  #all: Uint8Array | null = null

  constructor(
    limits: PresenceLimits = defaultPresenceLimits,
    owners: Owners<M> = new Owners<M>(),
    onContested: (owner: M) => void = () => undefined,
  ) {
    this.#limits = limits
    this.#owners = owners
    this.#onContested = onContested
  }

  /** How many ids have a state. */
  get size(): number {
    return this.#states.size
  }

  /** Whether {@link takeChanges} would give something. */
  get hasChanges(): boolean {
    return this.#changed.size > 0
  }

  /**
   * Takes an awareness update from a connection. Entries that are not its to make are ignored, since stock
   * clients repeat all they hear; so are those behind the first {@link MOST_ENTRIES}.
   *
   * @returns why some of it was refused, `null` if nothing was.
   * @throws InkwireError INKWIRE_BAD_MESSAGE when the bytes or a state's JSON are malformed, or nested too deep.
   */
  receive(member: M, update: Uint8Array): Refused | null {
    let refusal: Refused | null = null
    const decoder = decoding.createDecoder(update)
    try {
      const count = decoding.readVarUint(decoder)
      // An entry takes three bytes at least: a claimed count can't make us loop longer than the bytes last.
      if (count > update.length / 3) throw new RangeError('more entries than bytes')
      const message: Message = { alone: count === 1, bytesLeft: this.#limits.memberBytes }
      const looks = Math.min(count, MOST_ENTRIES)
      for (let i = 0; i < looks; i++) {
        const id = decoding.readVarUint(decoder)
        const clock = decoding.readVarUint(decoder)
        const at = decoder.pos
        const json = decoding.readVarUint8Array(decoder)
        refusal = this.#take(member, id, clock, { update, at, json }, message) ?? refusal
      }
      if (count > looks) return TOO_LONG
      if (decoder.pos !== update.length) throw new RangeError('bytes left over')
    } catch (cause) {
      throw new InkwireError('INKWIRE_BAD_MESSAGE', 'the awareness update is malformed', { cause })
    }
    return refusal
  }

  /** A connection has ended: its ids are gone, and nobody's. */
  leave(member: M): void {
    this.#owners.leave(member)
    for (const id of [...(this.#idsOf.get(member) ?? [])]) {
      const state = this.#states.get(id)
      if (state?.owner === member) this.#remove(id, state, state.clock)
    }
    this.#idsOf.delete(member)
    this.#bytesOf.delete(member)
  }

  /** One frame with the latest state of every id that changed since the last call, or `null`. */
  takeChanges(): Uint8Array | null {
    if (this.#changed.size === 0) return null
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, this.#changed.size)
    for (const [id, goneAt] of this.#changed) {
      const state = this.#states.get(id)
      if (state) state.told = true
      writeEntry(encoder, id, state?.clock ?? goneAt ?? 0, state?.json ?? GONE)
    }
    this.#changed.clear()
    return frame(encodeMessage({ type: 'awareness', update: encoding.toUint8Array(encoder) }))
  }

  /** One frame with all states, for a joiner; `null` when nobody is here. Computed once per change. */
  all(): Uint8Array | null {
    if (this.#states.size === 0) return null
    if (this.#all === null) {
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, this.#states.size)
      for (const [id, state] of this.#states) {
        state.told = true
        writeEntry(encoder, id, state.clock, state.json)
      }
      this.#all = frame(encodeMessage({ type: 'awareness', update: encoding.toUint8Array(encoder) }))
    }
    return this.#all
  }

  #take(member: M, id: number, clock: number, said: Said, message: Message): Refused | null {
    const { json } = said
    const state = this.#states.get(id)
    const own = this.#idsOf.get(member)
    // The first thing a client says is its own id, alone.
    const introduces = message.alone && own === undefined && !isNull(json)
    const owner = introduces ? this.#owners.shownBefore(member, id) : this.#owners.of(id)
    if (owner !== undefined && owner !== member) {
      if (introduces) this.#onContested(owner)
      return null
    }
    let announced = clock
    if (state && state.owner !== member) {
      // If another connection merely repeated it before (tabs of one browser do), it goes to whom it belongs.
      if (!introduces) return null
      // Whatever clock the other one gave it: the peers, and its owner, follow the greatest they hear.
      announced = Math.max(clock, state.clock + 1)
    } else if (state && (clock < state.clock || (clock === state.clock && !isNull(json)))) {
      return null // nothing new: a repetition of its own
    }
    if (clock > LARGEST_CLOCK || (state?.owner === member && clock - state.clock > LARGEST_STEP)) {
      return IMPLAUSIBLE
    }
    if (isNull(json)) {
      if (state) this.#remove(id, state, clock)
      own?.delete(id)
      return null
    }
    const mine = state?.owner === member ? state.json.length : 0
    const { stateBytes, memberBytes, roomBytes, idsPerMember } = this.#limits
    if (!mine && own && own.size >= idsPerMember) return TOO_MANY
    if (
      json.length > stateBytes ||
      json.length > message.bytesLeft ||
      (this.#bytesOf.get(member) ?? 0) + json.length - mine > memberBytes ||
      this.#bytes + json.length - (state?.json.length ?? 0) > roomBytes
    ) {
      return TOO_LARGE
    }
    message.bytesLeft -= json.length
    // Peers parse this and print it again, by recursion: they would throw in their message handler.
    skipJson(new Cursor(said.update, said.at, DEFAULT_LIMITS.maxDepth))
    if (introduces) this.#owners.claim(member, id)
    if (state) this.#forget(id, state)
    // One that has just gone is still known to those who haven't heard that.
    const told = state?.told ?? this.#changed.has(id)
    this.#states.set(id, { clock: announced, json: json.slice(), owner: member, told })
    this.#bytes += json.length
    this.#bytesOf.set(member, (this.#bytesOf.get(member) ?? 0) + json.length)
    if (own) own.add(id)
    else this.#idsOf.set(member, new Set([id]))
    this.#changed.set(id, null)
    this.#all = null
    return null
  }

  /** Only who has heard of an id hears that it has gone. */
  #remove(id: number, state: State<M>, clock: number): void {
    this.#forget(id, state)
    this.#states.delete(id)
    if (state.told) this.#changed.set(id, clock)
    else this.#changed.delete(id)
    this.#all = null
  }

  /** Takes a state out of the sums. */
  #forget(id: number, { owner, json }: State<M>): void {
    this.#bytes -= json.length
    this.#bytesOf.set(owner, (this.#bytesOf.get(owner) ?? 0) - json.length)
    this.#idsOf.get(owner)?.delete(id)
  }
}

const isNull = (json: Uint8Array): boolean =>
  json.length === 4 && json[0] === 0x6e && json[1] === 0x75 && json[2] === 0x6c && json[3] === 0x6c

const writeEntry = (encoder: encoding.Encoder, id: number, clock: number, json: Uint8Array): void => {
  encoding.writeVarUint(encoder, id)
  encoding.writeVarUint(encoder, clock)
  encoding.writeVarUint8Array(encoder, json)
}
