import { decodeTrunkMessage, encodeTrunkMessage } from '../../shared/codec.js'
import { Code } from '../../shared/codes.js'
import { InkwireError } from '../../shared/errors.js'
import type { TrunkMessage } from '../../shared/messages.js'
import type { TurnedAway } from '../limits/doorway.js'
import type { LogFields } from '../observe/log.js'
import type { Session, Transport } from '../session/session.js'
import { frame } from '../websocket/frame.js'
import { type Carrier, Channel } from './channel.js'
import type { Guest } from './connections.js'

/** What may have arrived for channels that take nothing now, bytes; with more, nothing is read for any of them. */
const MOST_WAITING_BYTES = 256 * 1024
/** Longest target of a channel, characters: as long as the head of an HTTP request may be. */
const LONGEST_TARGET = 16 * 1024

/** What a trunk needs of the house. */
export interface TrunkDeps {
  /** Channels that may be open at once. */
  readonly maxChannels: number
  /** Somebody wants this document on this channel: who that is, or why not. The trunk starts and ends them. */
  readonly receive: (target: string, extended: boolean, channel: Transport) => Guest | TurnedAway
  /** A channel is opened, which takes more work than other messages. */
  readonly opening: () => void
  /** A channel is refused (then there is no guest) or ended by the server. */
  readonly ending: (why: TurnedAway, guest: Guest | null) => void
}

/** What is open on a channel. */
interface Place {
  readonly channel: Channel
  readonly guest: Guest
}

/**
 * One connection with several documents on it (PROTOCOL X11–X15), each of which has a {@link Channel} in place of a
 * connection. Frames go out as rooms made them; a marker says whose they are, in the same write, when that changes.
 */
export class Trunk implements Guest, Carrier {
  readonly #connection: Transport
  readonly #deps: TrunkDeps
  readonly #places = new Map<number, Place>()
  /** The highest number that was opened; none is used twice. */
  #opened = 0
  /** Whose messages come in and go out; 0: nobody's yet. */
  #from = 0
  #to = 0
  /** Bytes in paused channels. */
  #waiting = 0
  /** Whom the drained socket served last. */
  #served = 0
  #deaf = false

  constructor(connection: Transport, deps: TrunkDeps) {
    this.#connection = connection
    this.#deps = deps
  }

  /** Greets the client: by this it knows that it may open channels (PROTOCOL X11). */
  start(): void {
    this.#say({ type: 'shared', channels: this.#deps.maxChannels })
  }

  get fields(): LogFields {
    return { documents: this.#places.size }
  }

  *visits(): IterableIterator<{ readonly session: Session }> {
    for (const { guest } of this.#places.values()) yield* guest.visits()
  }

  /**
   * One message has arrived. What can't be assigned to a document closes the connection (PROTOCOL X15). If anything is
   * thrown all the same, it is a fault of ours.
   */
  receive(payload: Uint8Array): void {
    if (this.#deaf) return
    let message: TrunkMessage | null
    try {
      message = decodeTrunkMessage(payload)
    } catch (error) {
      if (!(error instanceof InkwireError)) throw error
      this.close(Code.badMessage, error.message)
      return
    }
    if (message) this.#handle(message)
    else this.#pass(payload)
  }

  /** The socket's buffer has been emptied: each in turn takes what it wants of it, the one after the last one first. */
  drained(): void {
    const places = [...this.#places]
    const first = places.findIndex(([number]) => number > this.#served)
    if (first > 0) places.push(...places.splice(0, first))
    for (const [number, { guest }] of places) {
      // Whoever is left out comes first the next time.
      if (this.congested) return
      this.#served = number
      guest.drained()
    }
  }

  stopReading(): void {
    this.#deaf = true
    for (const { guest } of this.#places.values()) guest.stopReading()
  }

  /** Ends the connection and all on it. */
  close(code: number, reason: string): void {
    this.#connection.close(code, reason)
    this.ended(code)
  }

  /** The connection is gone. Idempotent. */
  ended(code: number): void {
    this.#deaf = true
    for (const number of [...this.#places.keys()]) this.#leave(number, code)
  }

  // What channels call (Carrier).

  get congested(): boolean {
    return this.#connection.outlet.congested
  }

  get full(): boolean {
    return this.#connection.full
  }

  write(channel: number, frames: readonly Uint8Array[]): void {
    if (frames.length === 0) return
    this.#connection.outlet.write(this.#to === channel ? frames : [marker(channel), ...frames])
    this.#to = channel
  }

  stream(channel: number, pieces: Iterable<readonly Uint8Array[]>, wanted: () => boolean): void {
    const mark = this.#to === channel ? null : marker(channel)
    this.#to = channel
    this.#connection.outlet.stream(whileWanted(mark, pieces, wanted))
  }

  waits(bytes: number): void {
    const [before, after] = [this.#waiting, this.#waiting + bytes]
    this.#waiting = after
    if (before <= MOST_WAITING_BYTES && after > MOST_WAITING_BYTES) this.#connection.pause()
    else if (before > MOST_WAITING_BYTES && after <= MOST_WAITING_BYTES) this.#connection.resume()
  }

  end(channel: number, code: number, reason: string): void {
    const place = this.#places.get(channel)
    if (!place) return
    this.#deps.ending({ code, reason }, place.guest)
    this.#say({ type: 'end', channel, code, reason })
    this.#leave(channel, code)
  }

  probe(): void {
    this.#connection.probe()
  }

  #handle(message: TrunkMessage): void {
    switch (message.type) {
      case 'open':
        this.#open(message)
        return
      case 'channel':
        if (this.#isKnown(message.channel)) this.#from = message.channel
        return
      case 'end':
        // One that we have ended is forgotten already.
        if (this.#isKnown(message.channel)) this.#leave(message.channel, message.code)
        return
      case 'shared':
        // It wants to know whether we are here. One that doesn't read its answers gets no more of them.
        if (!this.congested) this.start()
        return
      default:
        message satisfies never
    }
  }

  #open({ channel: number, target, extended }: TrunkMessage & { readonly type: 'open' }): void {
    if (number <= this.#opened) {
      this.close(Code.badMessage, 'channels are numbered in ascending order, from 1')
      return
    }
    if (this.full) {
      this.close(Code.tooFast, 'more channels were opened than answers read')
      return
    }
    this.#deps.opening()
    this.#opened = number
    this.#from = number
    const channel = new Channel(number, this)
    const guest = this.#refusal(target) ?? this.#deps.receive(target, extended, channel)
    if ('code' in guest) {
      this.#deps.ending(guest, null)
      this.#say({ type: 'end', channel: number, ...guest })
      return
    }
    this.#places.set(number, { channel, guest })
    guest.start()
  }

  #refusal(target: string): TurnedAway | null {
    if (target.length > LONGEST_TARGET)
      return { code: Code.noSuchDocument, reason: 'the address is too long' }
    if (this.#places.size < this.#deps.maxChannels) return null
    return { code: Code.tooFast, reason: 'the connection has as many documents as it may have' }
  }

  #pass(payload: Uint8Array): void {
    if (this.#from === 0) {
      this.close(Code.badMessage, 'a message of no channel')
      return
    }
    // For one that has just ended: it was on its way.
    const place = this.#places.get(this.#from)
    if (!place) return
    place.guest.receive(payload)
    place.channel.given(payload.length)
  }

  /** Whether there is or was such a channel; ends the connection if not. */
  #isKnown(channel: number): boolean {
    if (channel > 0 && channel <= this.#opened) return true
    this.close(Code.badMessage, 'there is no such channel')
    return false
  }

  #leave(channel: number, code: number): void {
    const place = this.#places.get(channel)
    if (!place) return
    this.#places.delete(channel)
    place.channel.ended()
    place.guest.ended(code)
  }

  #say(message: TrunkMessage): void {
    this.#connection.outlet.write([frame(encodeTrunkMessage(message))])
  }
}

const marker = (channel: number): Uint8Array => frame(encodeTrunkMessage({ type: 'channel', channel }))

/** The marker goes out in any case: what is written next relies on it. */
function* whileWanted(
  mark: Uint8Array | null,
  pieces: Iterable<readonly Uint8Array[]>,
  wanted: () => boolean,
): Generator<readonly Uint8Array[], void, void> {
  if (mark) yield [mark]
  if (wanted()) yield* pieces
}
