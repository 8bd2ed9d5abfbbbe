import { useSyncExternalStore } from 'react'
import type { Source } from '../frameworks/sources.js'

/** Renders again whenever the source changes. Pass the same source until another is meant. */
export const useSource = <Value>({ subscribe, get, initial }: Source<Value>): Value =>
  useSyncExternalStore(subscribe, get, () => initial)
