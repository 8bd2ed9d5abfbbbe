/**
 * Composables for Vue 3. They render on a server; a document is opened once the component is mounted.
 *
 * @module inkwire/vue
 */
import { type MaybeRefOrGetter, toValue } from 'vue'
import type { Text } from 'yjs'
import { documentSource, type Maybe, othersSource, saveSource, textSource } from '../frameworks/sources.js'
import type { DocumentState } from '../frameworks/state.js'
import type { InkwireOptions, InkwireProvider, SaveState } from '../index.js'
import { createPresence, type Person, type User } from '../presence/index.js'
import { type Followed, follow } from './follow.js'

export type { DocumentState, LiveDocument, NoDocument } from '../frameworks/state.js'

/** Opens a document. @example const notes = useDocument('wss://example.com', () => props.name) // notes.value.doc */
export const useDocument = (
  serverUrl: MaybeRefOrGetter<string>,
  name: MaybeRefOrGetter<string>,
  options?: InkwireOptions,
): Followed<DocumentState> => follow(() => documentSource(toValue(serverUrl), toValue(name), options))

/** The content of a text. @example const body = useText(() => notes.value.doc?.getText('body')) */
export const useText = (text: MaybeRefOrGetter<Maybe<Text>>): Followed<string> =>
  follow(() => textSource(toValue(text)))

/** Where this device's edits are. @example const saves = useSaveState(() => notes.value.provider) */
export const useSaveState = (provider: MaybeRefOrGetter<Maybe<InkwireProvider>>): Followed<SaveState> =>
  follow(() => saveSource(toValue(provider)))

/**
 * Who else is here, and who one is.
 *
 * @example
 *   const others = usePresence(() => notes.value.provider, { name: 'Ada' })
 */
export const usePresence = (
  provider: MaybeRefOrGetter<Maybe<InkwireProvider>>,
  user?: MaybeRefOrGetter<User>,
): Followed<readonly Person[]> =>
  follow(() => {
    const presence = toValue(provider)
      ? createPresence((toValue(provider) as InkwireProvider).awareness)
      : null
    const who = toValue(user)
    if (who) presence?.setUser(who)
    return othersSource(presence)
  })
