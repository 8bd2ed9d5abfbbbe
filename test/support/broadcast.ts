import { Counters } from '../../server/observe/counters.js'
import { Broadcast } from '../../server/room/broadcast.js'
import type { Member } from '../../server/room/member.js'
import { Presence } from '../../server/room/presence.js'
import { Tail } from '../../server/room/tail.js'
import { Turns } from '../../server/room/turns.js'
import { messagesIn } from './frames.js'

/** A member that keeps what it was sent, with a socket that a test can back up. */
export class SocketMember implements Member {
  readonly user = ''
  readonly mayWrite = true
  congested = false
  readonly outlet = this
  writes: Uint8Array[][] = []

  constructor(readonly extended = false) {}

  write(frames: readonly Uint8Array[]): void {
    this.writes.push([...frames])
  }
  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    for (const piece of pieces) this.writes.push([...piece])
  }
  acknowledge(): void {}
  requestMissing(): void {}
  dismiss(): void {}
  close(): void {}
  refuse(): void {}
  goOn(): void {}
  probe(): void {}

  /** First byte of each update it got, in order. */
  get updates(): number[] {
    return messagesIn(this.writes.flat()).flatMap((each) =>
      each.type === 'update' ? [each.update[0] as number] : [],
    )
  }
}

/** A room's broadcast with its time under control; a write costs `costMs`. */
export const setup = (costMs = 0) => {
  let now = 1000
  const soon: (() => void)[] = []
  const later: { at: number; task: () => void }[] = []
  const turns = new Turns({
    soon: (task) => void soon.push(task),
    later: (task, ms) => {
      const entry = { at: now + ms, task }
      later.push(entry)
      return () => void later.splice(later.indexOf(entry), 1)
    },
  })
  const tail = new Tail(0)
  const presence = new Presence<Member>()
  const counters = new Counters()
  const unconfirmed = new Map<Member, number[]>()
  const everything = [Uint8Array.of(0x82, 5, 0, 2, 2, 0, 0)]
  const snapshot: { here: boolean; readonly neededBy: Member[] } = { here: true, neededBy: [] }
  const broadcast = new Broadcast({
    tail,
    presence,
    turns,
    clock: () => now,
    counters,
    unconfirmed: (member) => unconfirmed.get(member) ?? [],
    everything: (member) => {
      if (snapshot.here) return everything
      snapshot.neededBy.push(member)
      return null
    },
  })
  const join = (member = new SocketMember()): SocketMember => {
    const write = member.write.bind(member)
    member.write = (frames) => {
      now += costMs
      write(frames)
    }
    broadcast.join(member)
    return member
  }
  const edit = (author: Member): number => {
    tail.append(Uint8Array.of(tail.lastSeq + 1, 9, 9))
    broadcast.updated(author, tail.lastSeq)
    return tail.lastSeq
  }
  const endTurn = (): void => {
    for (const task of soon.splice(0)) task()
  }
  const pass = (ms: number): void => {
    now += ms
    for (const { task } of later.filter(({ at }) => at <= now)) task()
    later.splice(0, later.length, ...later.filter(({ at }) => at > now))
  }
  return {
    now: () => now,
    broadcast,
    tail,
    presence,
    counters,
    unconfirmed,
    everything,
    snapshot,
    join,
    edit,
    endTurn,
    pass,
    later,
  }
}
