/**
 * Readable stores for Svelte, 4 and 5: `$store` in a component.
 *
 * @module inkwire/svelte
 */
import { type Readable, readable } from 'svelte/store'
import type { Text } from 'yjs'
import {
  documentSource,
  type Maybe,
  othersSource,
  type Source,
  saveSource,
  textSource,
} from '../frameworks/sources.js'
import type { DocumentState } from '../frameworks/state.js'
import type { InkwireOptions, InkwireProvider, SaveState } from '../index.js'
import { createPresence, type Person, type Presence } from '../presence/index.js'

export type { DocumentState, LiveDocument, NoDocument } from '../frameworks/state.js'

const storeOf = <Value>({ initial, get, subscribe }: Source<Value>): Readable<Value> =>
  readable(initial, (set) => {
    // Svelte subscribes while a server renders, too.
    if (typeof document === 'undefined') return undefined
    const unsubscribe = subscribe(() => set(get()))
    set(get())
    return unsubscribe
  })

/**
 * A document that is open as long as somebody is subscribed; all who name the same one share provider and socket.
 *
 * @example const notes = documentStore('wss://example.com', 'notes') // $notes.doc, $notes.provider, $notes.synced
 */
export const documentStore = (
  serverUrl: string,
  name: string,
  options?: InkwireOptions,
): Readable<DocumentState> => storeOf(documentSource(serverUrl, name, options))

/** The content of a text; empty while it is missing. @example $: text = textStore($notes.doc?.getText('body')) */
export const textStore = (text: Maybe<Text>): Readable<string> => storeOf(textSource(text))

/** Where this device's edits are. @example $: saves = saveStore($notes.provider) */
export const saveStore = (provider: Maybe<InkwireProvider>): Readable<SaveState> =>
  storeOf(saveSource(provider))

/**
 * Everybody else, and how to say who one is.
 *
 * @example $: others = presenceStore($notes.provider) // others?.setUser({ name }), {#each $others as { name }}
 */
export const presenceStore = (
  provider: Maybe<InkwireProvider>,
): Readable<readonly Person[]> & Partial<Presence> => {
  const presence = provider && createPresence(provider.awareness)
  return { ...presence, ...storeOf(othersSource(presence)) }
}
