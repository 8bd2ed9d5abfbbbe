import { colorsOf } from './colors.js'
import { type Person, readOthers } from './people.js'
import { throttle } from './throttle.js'

/**
 * What is needed of an awareness; that of y-protocols fits.
 *
 * @example
 *   const presence = createPresence(provider.awareness)
 */
export interface AwarenessLike {
  readonly clientID: number
  getStates(): Map<number, Readonly<Record<string, unknown>>>
  setLocalStateField(field: string, value: unknown): void
  on(event: 'change', listener: () => void): void
  off(event: 'change', listener: () => void): void
}

/**
 * Who one is, for the others. Further fields are published as they are.
 *
 * @example
 *   presence.setUser({ name: 'Ada', id: 'ada@example.com', avatar: '/ada.png' })
 */
export interface User {
  readonly name: string
  /** What the person is known by: decides the colours. Default: the name. It is published. */
  readonly id?: string
  /** A colour of one's own, `#rrggbb`; its contrast is then the app's business. */
  readonly color?: string
  readonly [field: string]: unknown
}

/**
 * A value that changes. It has the shape that React's `useSyncExternalStore` wants.
 *
 * @example
 *   const unsubscribe = presence.others.subscribe((people) => render(people))
 *   render(presence.others.get())
 */
export interface Observable<Value> {
  /** The present value: the same object until it changes. */
  get(): Value
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: (value: Value) => void): () => void
}

/**
 * How {@link createPresence} works.
 *
 * @example
 *   createPresence(provider.awareness, { cursorIntervalMs: 100 })
 */
export interface PresenceOptions {
  /** Shortest time between two cursors that are sent, ms. Default 50. */
  readonly cursorIntervalMs?: number
}

/**
 * One's own presence and that of the others. @see createPresence
 *
 * @example
 *   presence.setUser({ name: 'Ada' })
 *   presence.setCursor(null)
 */
export interface Presence {
  /** Everybody else, by client id. */
  readonly others: Observable<readonly Person[]>
  /** Says who one is: `user` in the awareness state, with colours, as editor bindings expect it. */
  setUser(user: User): void
  /**
   * Publishes where one points, as `cursor` of the awareness state, at most every `cursorIntervalMs`; the last
   * one is always sent. For cursors of your own: editor bindings publish theirs by themselves.
   */
  setCursor(cursor: unknown): void
  /** Ends all subscriptions and drops a cursor that waits; what was published stays there until the awareness ends. */
  destroy(): void
}

/**
 * Presence in a few words: who is here, in which colour, and where they point. It listens to the awareness only while
 * somebody is subscribed.
 *
 * @example
 *   const presence = createPresence(provider.awareness)
 *   presence.setUser({ name: 'Ada', id: 'ada@example.com' })
 *   presence.others.subscribe((people) => render(people.map(({ name, color }) => avatar(name, color))))
 *   addEventListener('pointermove', ({ x, y }) => presence.setCursor({ x, y }))
 */
export const createPresence = (
  awareness: AwarenessLike,
  { cursorIntervalMs = 50 }: PresenceOptions = {},
): Presence => {
  const listeners = new Set<(people: readonly Person[]) => void>()
  let people: readonly Person[] = []
  let told = people
  const read = (): readonly Person[] => {
    people = readOthers(awareness.getStates(), awareness.clientID, people)
    return people
  }
  const onChange = (): void => {
    const now = read()
    if (now === told) return
    told = now
    for (const listener of [...listeners]) listener(now)
  }
  const cursor = throttle<unknown>(cursorIntervalMs, (value) => awareness.setLocalStateField('cursor', value))

  return {
    others: {
      get: read,
      subscribe(listener) {
        // One function may be subscribed twice.
        const own = (value: readonly Person[]): void => listener(value)
        if (listeners.size === 0) {
          told = read()
          awareness.on('change', onChange)
        }
        listeners.add(own)
        return () => {
          if (listeners.delete(own) && listeners.size === 0) awareness.off('change', onChange)
        }
      },
    },
    setUser(user) {
      const { color } = user
      const colors = color
        ? { color, colorOnDark: color, colorLight: `${color}33` }
        : colorsOf(user.id ?? user.name)
      awareness.setLocalStateField('user', { ...user, ...colors })
    },
    setCursor: cursor.push,
    destroy() {
      awareness.off('change', onChange)
      listeners.clear()
      cursor.cancel()
    },
  }
}
