import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../../server/limits/limits.js'
import { Counters } from '../../server/observe/counters.js'
import type { Member } from '../../server/room/member.js'
import type { Room } from '../../server/room/room.js'
import { Session } from '../../server/session/session.js'
import { encodeMessage } from '../../shared/codec.js'
import { FakeTransport } from '../support/fake-transport.js'

const token = (text: string) => encodeMessage({ type: 'token', token: text })
const edit = (byte: number) => encodeMessage({ type: 'update', update: Uint8Array.of(byte) })
const HELLO = { type: 'hello', generation: '0'.repeat(32), seq: 0 }

/** A room that notes what it is asked for, and whether it takes updates. */
class FakeRoom {
  readonly generation = HELLO.generation
  readonly durable = 0
  readonly calls: string[] = []
  takes = true
  member: Member | null = null
  join(member: Member): void {
    this.member = member
    this.calls.push('join')
  }
  leave(): void {
    this.calls.push('leave')
  }
  stateVector(): Uint8Array {
    return Uint8Array.of(0)
  }
  everyone(): null {
    return null
  }
  mark(): number {
    return 0
  }
  receive(_member: Member, message: number, update: Uint8Array): boolean {
    if (this.takes) this.calls.push(`message ${message}: ${update[0]}`)
    return this.takes
  }
}

const setup = (extended = true) => {
  const transport = new FakeTransport()
  const events: string[] = []
  const watched = new Set<unknown>()
  const session = new Session(
    extended,
    transport,
    {
      counters: new Counters(),
      durability: 'fsync',
      maxMessageBytes: 2 ** 24,
      slow: { watch: (each) => watched.add(each), forget: (each) => watched.delete(each) },
      refuseUpdates: () => null,
      limits: { ...DEFAULT_LIMITS, unauthorizedBytes: 100, tokensPerMinute: 2 },
      clock: () => 0,
    },
    { token: (text) => events.push(`token ${text}`), presence: () => events.push('presence') },
  )
  const room = new FakeRoom()
  return {
    transport,
    events,
    watched,
    session,
    room,
    enter: () => {
      session.permit({ access: 'write', user: 'ada' })
      session.enter(room as unknown as Room)
    },
  }
}

describe('Session', () => {
  it('X7, X8: before it is let in, a client may show a token; what else it says waits', () => {
    const { session, transport, events, room, enter } = setup()
    session.askForToken()
    session.receive(edit(1))
    session.receive(token('abc'))
    expect([transport.said(), events]).toEqual([[{ type: 'authenticate' }], ['token abc']])
    session.enter(room as unknown as Room)
    expect(room.calls).toEqual([])
    enter()
    expect(room.calls).toEqual(['join', 'message 1: 1'])
    expect(transport.said()).toMatchObject([HELLO, { type: 'syncStep1' }])
    expect(transport.calls).toEqual(['resume'])
  })

  it.each([
    ['more than a token and a few words', [edit(1), new Uint8Array(100)], 4401],
    ['a token that is too long', [token('x'.repeat(200))], 4401],
    ['too many tokens', [token('a'), token('b'), token('c')], 4529],
    ['what is no message', [Uint8Array.of(9, 9)], 4400],
  ])('before it is let in, %s closes it', (_, messages, code) => {
    const { session, transport } = setup()
    for (const message of messages) session.receive(message)
    expect([transport.calls, session.closed]).toEqual([[`close ${code}`], true])
  })

  it('reads nothing more while the document is loaded, and works off in order what was on its way', () => {
    const { session, transport, room } = setup()
    session.permit({ access: 'write', user: 'ada' })
    for (const byte of [1, 2, 3]) session.receive(edit(byte))
    expect(transport.calls).toEqual(['pause', 'pause', 'pause'])
    session.enter(room as unknown as Room)
    expect(room.calls).toEqual(['join', 'message 1: 1', 'message 2: 2', 'message 3: 3'])
    expect(transport.calls.at(-1)).toBe('resume')
  })

  it('S7: an update that has to wait keeps its number and its place before what came after it', () => {
    const { session, transport, room, enter } = setup()
    enter()
    room.takes = false
    for (const byte of [1, 2]) session.receive(edit(byte))
    expect([room.calls, transport.calls]).toEqual([['join'], ['resume', 'pause']])
    room.takes = true
    room.member?.goOn()
    expect(room.calls).toEqual(['join', 'message 1: 1', 'message 2: 2'])
    expect(transport.calls).toEqual(['resume', 'pause', 'resume'])
  })

  it('X2, X4: says what changes of its access, and what of its updates is safe', () => {
    const { session, transport, room, enter, watched } = setup()
    enter()
    session.receive(edit(1))
    expect([transport.said().length, watched.size]).toEqual([2, 1])
    room.member?.acknowledge(1)
    session.permit({ access: 'read', user: 'ada' })
    expect(transport.said()).toMatchObject([
      { type: 'ack', received: 1, durable: 1 },
      { ...HELLO, access: 'read' },
    ])
    session.ended()
    expect(watched.size).toBe(0)
  })

  it('C4: out of its room, nothing is taken from it and it is told nothing, until it is known what it is closed with', () => {
    const { session, transport, room, enter } = setup()
    enter()
    session.receive(edit(1))
    transport.said()
    room.member?.dismiss()
    room.member?.acknowledge(1)
    session.receive(edit(2))
    session.permit({ access: 'read', user: 'ada' })
    session.drained()
    expect([transport.said(), transport.calls]).toEqual([[], ['resume']])
    session.close(4409, 'the document was replaced')
    session.ended()
    expect(transport.calls).toEqual(['resume', 'close 4409'])
    expect(room.calls).toEqual(['join', 'message 1: 1', 'leave'])
  })

  it('C3: a stock client is told that it is denied; whatever state it is in, the end is the end', () => {
    const { session, transport, room, enter } = setup(false)
    enter()
    transport.said()
    session.receive(edit(1))
    session.close(4403, 'revoked')
    session.close(1012, 'the server restarts')
    session.ended()
    session.receive(edit(2))
    room.member?.acknowledge(1)
    expect(transport.said()).toEqual([{ type: 'permissionDenied', reason: 'revoked' }])
    expect(transport.calls).toEqual(['resume', 'close 4403'])
    expect(room.calls).toEqual(['join', 'message 1: 1', 'leave'])
  })
})
