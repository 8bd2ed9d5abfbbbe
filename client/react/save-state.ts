import { useMemo } from 'react'
import { type Maybe, saveSource } from '../frameworks/sources.js'
import type { InkwireProvider, SaveState } from '../index.js'
import { useSource } from './source.js'

/**
 * Where this device's edits are. Renders with each change of it, which may be several for each edit: keep what uses
 * it small.
 *
 * @param provider may still be missing: then nothing is known
 * @example
 *   const { status, pending } = useSaveState(provider)
 */
export const useSaveState = (provider: Maybe<InkwireProvider>): SaveState =>
  useSource(useMemo(() => saveSource(provider), [provider]))
