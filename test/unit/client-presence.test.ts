import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { colorsOf, createPresence, type Person } from '../../client/presence/index.js'
import { contrast } from '../support/contrast.js'

beforeEach(() => {
  vi.useFakeTimers()
})
const toEnd: (() => void)[] = []
afterEach(() => {
  for (const end of toEnd.splice(0)) end()
  vi.useRealTimers()
})

const awarenessOf = (id: number): Awareness => {
  const doc = new Y.Doc()
  doc.clientID = id
  const awareness = new Awareness(doc)
  toEnd.push(() => awareness.destroy())
  return awareness
}

/** Two people who hear each other at once. */
const pair = () => {
  const [mine, theirs] = [awarenessOf(1), awarenessOf(2)]
  const tell = (from: Awareness, to: Awareness): void => {
    const send = (): void => applyAwarenessUpdate(to, encodeAwarenessUpdate(from, [from.clientID]), 'relay')
    from.on('update', (_: unknown, origin: unknown) => origin !== 'relay' && send())
    send()
  }
  tell(mine, theirs)
  tell(theirs, mine)
  return { mine, theirs }
}

const KEYS = Array.from({ length: 2_000 }, (_, index) => `person-${index}@example.com`)

describe('colours', () => {
  it('are the same for the same key, on any device', () => {
    expect(colorsOf('ada@example.com')).toEqual(colorsOf('ada@example.com'))
    expect(colorsOf('')).toEqual(colorsOf(''))
    // Written down: another version must not give people other colours.
    expect([colorsOf('ada').color, colorsOf('grace').color]).toEqual(['#bc5907', '#797907'])
  })

  it('spread evenly over people', () => {
    const counts = new Map<string, number>()
    for (const key of KEYS) counts.set(colorsOf(key).color, (counts.get(colorsOf(key).color) ?? 0) + 1)
    expect(counts.size).toBe(12)
    for (const count of counts.values()) expect(count).toBeGreaterThan(KEYS.length / 12 / 2)
  })

  it('have a contrast of at least 4.5 on white and on dark grounds (WCAG AA)', () => {
    for (const key of KEYS.slice(0, 200)) {
      const { color, colorOnDark, colorLight } = colorsOf(key)
      expect(contrast(color, '#ffffff'), color).toBeGreaterThanOrEqual(4.5)
      expect(contrast(color, '#000000'), color).toBeGreaterThanOrEqual(4.5)
      for (const dark of ['#000000', '#12151b', '#1e1e1e', '#24292f'])
        expect(contrast(colorOnDark, dark), `${colorOnDark} on ${dark}`).toBeGreaterThanOrEqual(4.5)
      expect(colorLight).toBe(`${color}33`)
    }
  })
})

describe('setUser', () => {
  it('publishes name and colours in the field that bindings read', () => {
    const { mine, theirs } = pair()
    createPresence(mine).setUser({ name: 'Ada', id: 'a1', avatar: 'ada.png' })
    expect(theirs.getStates().get(1)).toEqual({
      user: { name: 'Ada', id: 'a1', avatar: 'ada.png', ...colorsOf('a1') },
    })
  })

  it('takes a colour that the app has chosen', () => {
    const { mine, theirs } = pair()
    createPresence(mine).setUser({ name: 'Ada', color: '#123456' })
    const [ada] = createPresence(theirs).others.get()
    expect(ada).toMatchObject({ color: '#123456', colorOnDark: '#123456', colorLight: '#12345633' })
  })
})

describe('others', () => {
  it('are everybody else, by id, and told of once per change', () => {
    const { mine, theirs } = pair()
    const presence = createPresence(mine)
    const seen: (readonly Person[])[] = []
    presence.others.subscribe((people) => seen.push(people))
    createPresence(theirs).setUser({ name: 'Grace' })
    expect(seen).toHaveLength(1)
    expect(seen[0]).toBe(presence.others.get())
    expect(seen[0]).toMatchObject([{ clientId: 2, name: 'Grace', ...colorsOf('Grace') }])
    theirs.setLocalState(null)
    expect(presence.others.get()).toEqual([])
  })

  it('are the same list while only the own state changes, and the same persons while others change', () => {
    const { mine, theirs } = pair()
    const third = awarenessOf(3)
    theirs.setLocalStateField('user', { name: 'Eve' })
    third.setLocalStateField('user', { name: 'Alan' })
    applyAwarenessUpdate(mine, encodeAwarenessUpdate(third, [3]), 'relay')
    const presence = createPresence(mine)
    const before = presence.others.get()
    expect(before.map(({ name }) => name)).toEqual(['Eve', 'Alan'])
    const listener = vi.fn()
    presence.others.subscribe(listener)
    presence.setUser({ name: 'Ada' })
    expect([presence.others.get(), listener.mock.calls.length]).toEqual([before, 0])
    expect(presence.others.get()).toBe(before)
    createPresence(theirs).setUser({ name: 'Grace' })
    expect(presence.others.get()[0]).not.toBe(before[0])
    expect(presence.others.get()[1]).toBe(before[1])
  })

  it('may say anything about themselves: what is no name or colour is replaced', () => {
    const { mine, theirs } = pair()
    const presence = createPresence(mine)
    const nameOf = (user: unknown): unknown => {
      theirs.setLocalStateField('user', user)
      return presence.others.get()[0]?.name
    }
    expect(nameOf({ name: ' A\n\u202eB ' })).toBe('A B')
    expect(nameOf({ name: 'x'.repeat(100) })).toBe('x'.repeat(60))
    for (const user of [null, 7, 'Eve', {}, { name: {} }, { name: ' ' }])
      expect(nameOf(user)).toBe('Somebody')
    theirs.setLocalStateField('user', { name: 'Eve', color: 'red;background:url(x)', colorOnDark: 5 })
    expect(presence.others.get()[0]).toMatchObject(colorsOf('2'))
  })
})

describe('setCursor', () => {
  it('sends the first at once, then one per interval, and always the last', () => {
    const { mine, theirs } = pair()
    const presence = createPresence(mine, { cursorIntervalMs: 50 })
    const heard: unknown[] = []
    theirs.on('change', () => heard.push(theirs.getStates().get(1)?.cursor))
    for (let x = 0; x < 10; x++) {
      presence.setCursor({ x })
      vi.advanceTimersByTime(20)
    }
    vi.advanceTimersByTime(1_000)
    expect(heard).toEqual([{ x: 0 }, { x: 2 }, { x: 4 }, { x: 7 }, { x: 9 }])
  })
})

it('destroy lets go of awareness and timers, and leaves the published state', () => {
  const { mine, theirs } = pair()
  const observers = () => mine._observers.get('change')?.size ?? 0
  const before = observers()
  const presence = createPresence(mine)
  const listener = vi.fn()
  presence.others.subscribe(listener)
  presence.setCursor(1)
  presence.setCursor(2)
  presence.destroy()
  vi.advanceTimersByTime(1_000)
  theirs.setLocalStateField('user', { name: 'Grace' })
  expect([observers(), listener.mock.calls.length]).toEqual([before, 0])
  expect(mine.getLocalState()).toEqual({ cursor: 1 })
})
