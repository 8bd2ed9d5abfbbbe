import { useEffect, useMemo } from 'react'
import { type Maybe, othersSource } from '../frameworks/sources.js'
import type { InkwireProvider } from '../index.js'
import { createPresence, type Person, type Presence, type User } from '../presence/index.js'
import { useSource } from './source.js'

/**
 * What {@link usePresence} gives.
 *
 * @example
 *   const { others, setCursor } = usePresence(notes.provider, { name: 'Ada' })
 */
export interface PresenceInHand extends Pick<Presence, 'setUser' | 'setCursor'> {
  /** Everybody else. The same list until somebody changes. */
  readonly others: readonly Person[]
}

const nothing = (): void => {}

/**
 * Who else is here, and what they see of this one.
 *
 * @param provider may still be missing: then nobody is here
 * @param user who one is; published whenever it says something else. Without it, call `setUser`.
 * @example
 *   const { others, setCursor } = usePresence(provider, { name: 'Ada' })
 *   return <ul>{others.map(({ clientId, name, color }) => <li key={clientId} style={{ color }}>{name}</li>)}</ul>
 */
export const usePresence = (provider: Maybe<InkwireProvider>, user?: User): PresenceInHand => {
  const presence = useMemo(() => provider && createPresence(provider.awareness), [provider])
  const others = useSource(useMemo(() => othersSource(presence), [presence]))
  const said = user && JSON.stringify(user)
  useEffect(() => {
    if (said) presence?.setUser(JSON.parse(said) as User)
  }, [presence, said])
  useEffect(() => presence?.destroy, [presence])
  return useMemo(
    () => ({ others, setUser: presence?.setUser ?? nothing, setCursor: presence?.setCursor ?? nothing }),
    [others, presence],
  )
}
