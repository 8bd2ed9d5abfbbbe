import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Authorize, ask } from '../../server/auth/authorize.js'
import type { Revocations } from '../../server/auth/revocations.js'
import { Admission, type AdmissionDeps } from '../../server/clients/admission.js'
import type { Permission, Session } from '../../server/session/session.js'

const START = Date.UTC(2026, 0, 1)
const DAY = 86_400_000

beforeEach(() => {
  vi.useFakeTimers({ now: START })
})

afterEach(() => {
  vi.useRealTimers()
})

const nobodyRevoked = { isRevoked: () => false } as unknown as Revocations

const admit = async (
  authorize: Authorize,
  more: Partial<AdmissionDeps> = {},
  extended = false,
  letIn: () => unknown = () => undefined,
) => {
  const events: string[] = []
  const session = {
    extended,
    permit: ({ access }: Permission) => {
      letIn()
      events.push(`permit ${access}`)
    },
    askForToken: () => void events.push('asked for a token'),
    close: (code: number) => void events.push(`closed ${code}`),
  } as unknown as Session
  const request = { document: 'doc', token: 'x', origin: null, address: '', headers: {} }
  const admission = new Admission(session, request, () => void events.push('admitted'), {
    authorize,
    timeoutMs: 1000,
    revocations: async () => nobodyRevoked,
    now: Date.now,
    onFailure: () => void events.push('failed'),
    ...more,
  })
  admission.start()
  await vi.advanceTimersByTimeAsync(0)
  return { admission, events }
}

const until = (expiresAt: number): Authorize => {
  return () => ({ user: 'ada', access: 'write', expiresAt })
}

describe('a permission ends at its moment (PROTOCOL A3)', () => {
  it.each([
    ['of an hour', 3_600_000],
    ['longer than the longest timer (2^31 ms)', 25 * DAY],
    ['longer than two of them', 51 * DAY],
  ])('%s', async (_, ms) => {
    const { events } = await admit(until(START + ms))
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(events).toEqual(['permit write', 'admitted'])
    await vi.advanceTimersByTimeAsync(1)
    expect(events.at(-1)).toBe('closed 4401')
  })

  it('a client that can renew it is asked before, and closed all the same if it does not', async () => {
    const { events } = await admit(until(START + 100_000), {}, true)
    await vi.advanceTimersByTimeAsync(99_999)
    expect(events).toEqual(['permit write', 'admitted', 'asked for a token'])
    await vi.advanceTimersByTimeAsync(1)
    expect(events.at(-1)).toBe('closed 4401')
  })

  it('also when the clock is put forward, or the machine slept: timers know nothing of that', async () => {
    const { events } = await admit(until(START + DAY))
    vi.setSystemTime(START + DAY + 1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(events.at(-1)).toBe('closed 4401')
  })

  it('not before it, when the clock is put back', async () => {
    const { events } = await admit(until(START + 10_000))
    vi.setSystemTime(START - 20_000)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(events).toEqual(['permit write', 'admitted'])
    await vi.advanceTimersByTimeAsync(1)
    expect(events.at(-1)).toBe('closed 4401')
  })

  it('what arrives while the event loop is late with its timers is not taken any more', async () => {
    const { admission, events } = await admit(until(START + 10_000))
    expect(admission.over).toBe(false)
    vi.setSystemTime(START + 10_000)
    expect(admission.over).toBe(true)
    expect(events.at(-1)).toBe('closed 4401')
  })

  it('one that has ended already lets nobody in', async () => {
    const { events } = await admit(until(START - 1))
    expect(events).toEqual(['closed 4401'])
  })

  it('nobody waits any more once the connection has ended', async () => {
    const { admission } = await admit(until(START + DAY))
    admission.dispose()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('revoked', () => {
  it('looked up in the very turn that lets in: whoever revokes later finds it among the connections', async () => {
    let revoked = false
    const revocations = {
      isRevoked: () => {
        // The next to have a turn revokes the user.
        queueMicrotask(() => {
          revoked = true
        })
        return revoked
      },
    } as unknown as Revocations
    const whenLetIn: boolean[] = []
    const authorize = until(START + DAY)
    await admit(authorize, { revocations: async () => revocations }, false, () => whenLetIn.push(revoked))
    expect(whenLetIn).toEqual([false])
    expect(revoked).toBe(true)
  })
})

describe('an answer that is none lets nobody in', () => {
  const request = { document: 'doc', token: 'x', origin: null, address: '', headers: {} }
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['false', false],
    ['true', true],
    ['an empty object', {}],
    ['no access', { user: 'ada' }],
    ['an unknown access', { user: 'ada', access: 'owner' }],
    ['no user', { access: 'write' }],
    ['a user that is no text', { user: 7, access: 'write' }],
    ['an end that is no number', { user: 'ada', access: 'write', expiresAt: 'soon' }],
    ['an end that is not a number', { user: 'ada', access: 'write', expiresAt: Number.NaN }],
    ['a refusal of an unknown kind', { refused: true }],
  ])('%s', async (_, answer) => {
    const verdict = await ask((() => answer) as unknown as Authorize, request, 1000)
    expect(verdict).toMatchObject({ ok: false, kind: 'failed' })
  })

  it('a good one does', async () => {
    const grant = { user: 'ada', access: 'read', expiresAt: Number.POSITIVE_INFINITY, issuedAt: 5 } as const
    expect(await ask(() => ({ ...grant, more: 'ignored' }), request, 1000)).toEqual({ ok: true, ...grant })
    const untyped: unknown = async () => ({ user: '', access: 'write', expiresAt: undefined })
    expect(await ask(untyped as Authorize, request, 1000)).toEqual({ ok: true, user: '', access: 'write' })
  })
})
