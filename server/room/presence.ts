import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { encodeMessage } from '../../shared/codec.js'
import { InkwireError } from '../../shared/errors.js'
import { frame } from '../frame.js'

/** What one connection may put into a room's presence. */
export interface PresenceLimits {
  /** Ids that one connection may introduce. A browser's tabs repeat each other's, so more than one. */
  readonly idsPerMember: number
  /** Bytes of one id's state, as JSON. */
  readonly stateBytes: number
}

/** Generous for cursors and names, small enough that a joiner's share stays bounded. */
export const defaultPresenceLimits: PresenceLimits = { idsPerMember: 64, stateBytes: 16 * 1024 }

interface State<M> {
  clock: number
  /** The state as JSON in UTF-8, passed on as it came. */
  json: Uint8Array
  owner: M
  /** Its owner's own id, not one it repeats for another tab (PROTOCOL S6). */
  readonly primary: boolean
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
  /** Ids to tell the members about at the next flush; with a clock for those that have gone. */
  readonly #changed = new Map<number, number | null>()
  readonly #limits: PresenceLimits
  #all: Uint8Array | null = null

  constructor(limits: PresenceLimits = defaultPresenceLimits) {
    this.#limits = limits
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
   * clients repeat all they hear.
   *
   * @throws InkwireError INKWIRE_BAD_MESSAGE when the bytes or a state's JSON are malformed.
   */
  receive(member: M, update: Uint8Array): void {
    const decoder = decoding.createDecoder(update)
    try {
      const count = decoding.readVarUint(decoder)
      // An entry takes three bytes at least: a claimed count can't make us loop longer than the bytes last.
      if (count > update.length / 3) throw new RangeError('more entries than bytes')
      for (let i = 0; i < count; i++) {
        const id = decoding.readVarUint(decoder)
        const clock = decoding.readVarUint(decoder)
        const json = decoding.readVarUint8Array(decoder)
        this.#take(member, id, clock, json, count === 1)
      }
      if (decoder.pos !== update.length) throw new RangeError('bytes left over')
    } catch (cause) {
      throw new InkwireError('INKWIRE_BAD_MESSAGE', 'the awareness update is malformed', { cause })
    }
  }

  /** A connection has ended: its ids are gone. */
  leave(member: M): void {
    for (const id of this.#idsOf.get(member) ?? []) {
      const state = this.#states.get(id)
      if (state?.owner === member) this.#remove(id, state.clock)
    }
    this.#idsOf.delete(member)
  }

  /** One frame with the latest state of every id that changed since the last call, or `null`. */
  takeChanges(): Uint8Array | null {
    if (this.#changed.size === 0) return null
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, this.#changed.size)
    for (const [id, goneAt] of this.#changed) {
      const state = this.#states.get(id)
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
      for (const [id, state] of this.#states) writeEntry(encoder, id, state.clock, state.json)
      this.#all = frame(encodeMessage({ type: 'awareness', update: encoding.toUint8Array(encoder) }))
    }
    return this.#all
  }

  #take(member: M, id: number, clock: number, json: Uint8Array, alone: boolean): void {
    const state = this.#states.get(id)
    const own = this.#idsOf.get(member)
    if (state && state.owner !== member) {
      // The first thing a client says is its own id, alone. If another connection merely repeated it
      // before (tabs of one browser do), the id goes to whom it belongs.
      if (!alone || own !== undefined || state.primary || clock < state.clock) return
      this.#idsOf.get(state.owner)?.delete(id)
    } else if (state && (clock < state.clock || (clock === state.clock && !isNull(json)))) {
      return // nothing new: a repetition of its own
    }
    if (isNull(json)) {
      if (state) this.#remove(id, clock)
      own?.delete(id)
      return
    }
    if (json.length > this.#limits.stateBytes) return
    if (!state && own && own.size >= this.#limits.idsPerMember) return
    // Peers parse this as JSON and would throw in their message handler.
    JSON.parse(utf8.decode(json))
    const primary = state?.owner === member ? state.primary : alone && own === undefined
    this.#states.set(id, { clock, json: json.slice(), owner: member, primary })
    if (own) own.add(id)
    else this.#idsOf.set(member, new Set([id]))
    this.#changed.set(id, null)
    this.#all = null
  }

  #remove(id: number, clock: number): void {
    this.#states.delete(id)
    this.#changed.set(id, clock)
    this.#all = null
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const isNull = (json: Uint8Array): boolean =>
  json.length === 4 && json[0] === 0x6e && json[1] === 0x75 && json[2] === 0x6c && json[3] === 0x6c

const writeEntry = (encoder: encoding.Encoder, id: number, clock: number, json: Uint8Array): void => {
  encoding.writeVarUint(encoder, id)
  encoding.writeVarUint(encoder, clock)
  encoding.writeVarUint8Array(encoder, json)
}
