import type { Counters } from '../observe/counters.js'
import { type Answer, deliver } from './answer.js'
import type { Member, Seat } from './member.js'
import type { Presence } from './presence.js'
import { Round } from './round.js'
import type { Tail } from './tail.js'
import type { Flushable, Turns } from './turns.js'
import { type Waiting, Windows } from './windows.js'

/** A window below this isn't worth a timer. */
const SHORTEST_WINDOW_MS = 1
/**
 * How many members are written to in one turn of the event loop, which takes some milliseconds. The others follow after
 * whatever else there is to do.
 */
const MEMBERS_A_TURN = 512
/** How much is written to a member that catches up before looking at its socket again. */
const CATCH_UP_BYTES = 256 * 1024

/** What a broadcast is told about its surroundings. */
export interface BroadcastDeps {
  readonly tail: Tail
  readonly presence: Presence<Member>
  readonly turns: Turns
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  readonly counters: Counters
  /** Told about every flush: how many updates it carried, and milliseconds it took. */
  readonly onFlush?: (updates: number, ms: number) => void
  /** `seq`s of a member's own updates that aren't durable yet, ascending: it must not get them back before. */
  readonly unconfirmed: (member: Member) => readonly number[]
  /**
   * What brings up a member of whom nothing is known; `null` if it has to be read first. Then {@link Broadcast.drained}
   * is called for the member when it is here.
   */
  readonly everything: (member: Member) => Answer | null
}

/**
 * Passes on to a room's members what the room got: framed once, written to each socket once per flush, however
 * many updates the flush carries, latest presence included.
 *
 * The first flush after quiet runs at the end of the same turn of the event loop. The next one waits for a window
 * that grows with what the last one cost, so that a room's fan-out takes a bounded share of a core.
 *
 * A member whose socket is backed up is skipped and marked behind; once its socket drained, it is brought up from
 * the tail. Nothing is ever buffered per member, and nothing is dropped.
 */
export class Broadcast implements Flushable {
  readonly #deps: BroadcastDeps
  readonly #seats = new Map<Member, Seat>()
  /** Which updates since the last flush a member isn't sent: an author's own. */
  #own = new Map<Member, number[]>()
  /** What of somebody's own has become durable, and goes out with the next flush. */
  #echoes = new Map<Member, number[]>()
  /** A flush on its way; there is one at a time. */
  #round: Round | null = null
  #flushed: number
  readonly #windows = new Windows()
  #scheduled = false
  /** When the scheduled one begins at the latest; 0: at the end of this turn, or it has begun. */
  #due = 0
  #callOff: (() => void) | null = null

  constructor(deps: BroadcastDeps) {
    this.#deps = deps
    this.#flushed = deps.tail.lastSeq
  }

  /** How many members there are. */
  get size(): number {
    return this.#seats.size
  }

  members(): IterableIterator<Member> {
    return this.#seats.keys()
  }

  seat(member: Member): Seat | undefined {
    return this.#seats.get(member)
  }

  /** Whether all there is was sent to a member, if it has been answered once. */
  caughtUp(member: Member): boolean {
    const seat = this.#seats.get(member)
    return seat !== undefined && !seat.behind && seat.sent === this.#deps.tail.lastSeq
  }

  /** A new member gets what comes from now on; what was before is the answer to its sync step 1. */
  join(member: Member): void {
    const sent = this.#deps.tail.lastSeq
    const { outlet } = member
    this.#seats.set(member, { outlet, sent, behind: false, own: null, echoes: null, left: false, member })
  }

  leave(member: Member): void {
    const seat = this.#seats.get(member)
    if (seat) seat.left = true
    this.#seats.delete(member)
    this.#own.delete(member)
    this.#echoes.delete(member)
  }

  /** Update `seq` is at the tail's end. */
  updated(author: Member, seq: number): void {
    this.withhold(author, seq)
    this.schedule()
  }

  /** The next flush doesn't bring `seq`, which is at the tail's end, to this member. */
  withhold(member: Member, seq: number): void {
    const own = this.#own.get(member)
    if (own) own.push(seq)
    else this.#own.set(member, [seq])
  }

  /** There is something to flush. */
  schedule(what: Waiting = 'edits'): void {
    // It is coming at the turn's end, which can't be called off.
    if (this.#scheduled && this.#due === 0) return
    const now = this.#deps.clock()
    const due = this.#windows.opens(what) - now < SHORTEST_WINDOW_MS ? 0 : this.#windows.closes(what)
    if (this.#scheduled && due >= this.#due) return
    this.#callOff?.()
    this.#callOff = null
    this.#scheduled = true
    this.#due = due
    if (due === 0) this.#deps.turns.soon(this)
    else this.#callOff = this.#deps.turns.later(this, due - now)
  }

  /** The turn's end: starts a round, or goes on with the one that is on its way. */
  flush(): void {
    if (!this.#round) this.#begin()
    this.#go(MEMBERS_A_TURN)
  }

  /** Sends out all there is, now and in one go. */
  finish(): void {
    this.#go(Number.POSITIVE_INFINITY)
    this.#begin()
    this.#go(Number.POSITIVE_INFINITY)
  }

  /** Takes what there is for the next round. */
  #begin(): void {
    const { tail, presence } = this.#deps
    const from = this.#flushed + 1
    const to = tail.lastSeq
    const changes = presence.takeChanges()
    this.#flushed = to
    this.#callOff?.()
    this.#callOff = null
    this.#due = 0
    this.#scheduled = to >= from || changes !== null || this.#echoes.size > 0
    if (!this.#scheduled) return
    const shared = together(tail.frames(from, to), changes, this.#seats.size)
    this.#round = new Round({ from, to, changes, shared }, this.#seats.values())
    for (const [member, seqs] of this.#own) this.#note(member, 'own', seqs)
    for (const [member, seqs] of this.#echoes) this.#note(member, 'echoes', seqs)
    this.#own = new Map()
    this.#echoes = new Map()
  }

  #note(member: Member, what: 'own' | 'echoes', seqs: readonly number[]): void {
    const seat = this.#seats.get(member)
    if (seat) seat[what] = seqs
  }

  /** Goes on with the round: to so many more members, and to the end of it if these are all. */
  #go(most: number): void {
    const round = this.#round
    if (!round) return
    const { clock, turns, presence } = this.#deps
    const started = clock()
    for (let more = most; more > 0; more--) {
      const seat = round.next()
      if (!seat) break
      this.#bring(seat, round)
    }
    const now = clock()
    round.worked(started, now)
    if (round.left > 0) {
      turns.soon(this)
      return
    }
    this.#round = null
    this.#scheduled = false
    this.#windows.flushed(round, now)
    this.#deps.onFlush?.(round.to - round.from + 1, round.took)
    if (this.#deps.tail.lastSeq > round.to) this.schedule()
    else if (presence.hasChanges || this.#echoes.size > 0) this.schedule('presence')
  }

  #bring(seat: Seat, { from, to, changes, shared }: Round): void {
    const { outlet, own, echoes } = seat
    if (own) seat.own = null
    if (echoes) seat.echoes = null
    if (seat.behind || outlet.congested) {
      this.#fallBehind(seat)
      for (const seq of echoes ?? []) seat.sent = Math.min(seat.sent, seq - 1)
      return
    }
    let frames = own || seat.sent !== from - 1 ? this.#without(own, seat.sent + 1, to, changes) : shared
    if (echoes) frames = [...this.#framesOf(echoes), ...frames]
    if (frames.length > 0) outlet.write(frames)
    this.#deps.counters.updatesOut += to - seat.sent - (own?.length ?? 0)
    seat.sent = to
  }

  #fallBehind(seat: Seat): void {
    if (seat.behind) return
    seat.behind = true
    this.#deps.counters.membersBehindTotal++
  }

  /**
   * What of a stock author's own has become durable goes back to it (PROTOCOL S4): with the next flush, if there is one
   * coming, since a write of its own costs as much as all else in it. To a backed-up one later, with all that it
   * misses.
   */
  echo(author: Member, seqs: readonly number[]): void {
    const seat = this.#seats.get(author)
    const first = seqs[0]
    if (!seat || first === undefined) return
    // What waited for a gap to close may be in the snapshot by now.
    if (seat.behind || author.outlet.congested || first < this.#deps.tail.firstSeq) {
      if (author.outlet.congested) this.#fallBehind(seat)
      seat.behind = true
      seat.sent = Math.min(seat.sent, first - 1)
      this.#allow(author, seqs)
      // It may have waited for nothing but this.
      if (!author.outlet.congested) this.drained(author)
      return
    }
    if (!this.#scheduled) {
      author.outlet.write(this.#framesOf(seqs))
      return
    }
    const echoes = this.#echoes.get(author)
    if (echoes) echoes.push(...seqs)
    else this.#echoes.set(author, [...seqs])
  }

  #framesOf(seqs: readonly number[]): Uint8Array[] {
    return runs(seqs).flatMap(([from, to]) => this.#deps.tail.frames(from, to))
  }

  /** A member's socket has drained: bring it up, a piece at a time, until it is backed up again or has all. */
  drained(member: Member): void {
    const seat = this.#seats.get(member)
    if (!seat?.behind) return
    const { tail, presence, unconfirmed, everything } = this.#deps
    const own = unconfirmed(member)
    if (seat.sent + 1 < tail.firstSeq) {
      // All there is would bring a stock author its own before it is safe (PROTOCOL S4): after the commit, then.
      if (!member.extended && own.length > 0) return
      // The snapshot took over what it misses.
      const answer = everything(member)
      if (answer === null) return
      deliver(member.outlet, answer)
      seat.sent = tail.lastSeq
    }
    while (seat.sent < this.#flushed && !member.outlet.congested) {
      const end = tail.within(seat.sent + 1, this.#flushed, CATCH_UP_BYTES)
      const frames = this.#without(own, seat.sent + 1, end, null)
      if (frames.length > 0) member.outlet.write(frames)
      this.#deps.counters.updatesOut += end - seat.sent
      seat.sent = end
    }
    if (member.outlet.congested) return
    seat.behind = false
    const present = presence.all()
    if (present) member.outlet.write([present])
  }

  dispose(): void {
    this.#callOff?.()
    this.#callOff = null
    this.#round = null
    // A flush that is due at the turn's end finds nobody to write to.
    this.#seats.clear()
    this.#own.clear()
    this.#echoes.clear()
  }

  /** What has become durable before it was flushed may come with the flush, if it can't be sent now. */
  #allow(member: Member, seqs: readonly number[]): void {
    const own = this.#own.get(member)
    if (!own) return
    const durable = new Set(seqs)
    this.#own.set(
      member,
      own.filter((seq) => !durable.has(seq)),
    )
  }

  #without(
    own: readonly number[] | null,
    from: number,
    to: number,
    changes: Uint8Array | null,
  ): Uint8Array[] {
    const frames: Uint8Array[] = []
    let next = from
    for (const seq of own ?? []) {
      if (seq < next) continue
      if (seq > to) break
      frames.push(...this.#deps.tail.frames(next, seq - 1))
      next = seq + 1
    }
    frames.push(...this.#deps.tail.frames(next, to))
    if (changes) frames.push(changes)
    return frames
  }
}

/** One buffer for many sockets: a write of two buffers costs each socket a second one. */
const together = (frames: Uint8Array[], changes: Uint8Array | null, members: number): Uint8Array[] => {
  if (changes) frames.push(changes)
  return frames.length > 1 && members > 1 ? [Buffer.concat(frames)] : frames
}

/** `[1, 2, 3, 7]` → `[[1, 3], [7, 7]]`. */
const runs = (seqs: readonly number[]): [from: number, to: number][] => {
  const found: [number, number][] = []
  for (const seq of seqs) {
    const last = found.at(-1)
    if (last && last[1] === seq - 1) last[1] = seq
    else found.push([seq, seq])
  }
  return found
}
