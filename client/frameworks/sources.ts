import type { Text } from 'yjs'
import type { InkwireOptions, InkwireProvider, SaveState } from '../index.js'
import type { Person, Presence } from '../presence/index.js'
import { documents } from './documents.js'
import { type DocumentState, NO_DOCUMENT } from './state.js'

/** A value that changes, in the shape that every framework knows how to follow. */
export interface Source<Value> {
  /** What a server renders, and a browser first. */
  readonly initial: Value
  get(): Value
  subscribe(listener: () => void): () => void
}

/** What may not be there yet. */
export type Maybe<Value> = Value | null | undefined

const never = (): void => {}
const constant = <Value>(initial: Value): Source<Value> => ({
  initial,
  get: () => initial,
  subscribe: () => never,
})

/** A document that is open while somebody is subscribed. */
export const documentSource = (
  serverUrl: string,
  name: string,
  options?: InkwireOptions,
): Source<DocumentState> => ({
  initial: NO_DOCUMENT,
  get: () => documents.get(serverUrl, name)?.state ?? NO_DOCUMENT,
  subscribe: (listener) => documents.open(serverUrl, name, options).use(listener),
})

const NOTHING_SAVED: SaveState = {
  status: 'unknown',
  supported: null,
  durability: null,
  pending: 0,
  received: 0,
  rejected: 0,
  durable: 0,
  oldestPending: null,
}

/** Where this device's edits are. */
export const saveSource = (provider: Maybe<InkwireProvider>): Source<SaveState> =>
  provider
    ? {
        initial: NOTHING_SAVED,
        get: () => provider.saveState,
        subscribe(listener) {
          provider.on('save', listener)
          return () => provider.off('save', listener)
        },
      }
    : constant(NOTHING_SAVED)

/** The content of a text. It is put together once per change, however often it is asked for by those who follow it. */
export const textSource = (text: Maybe<Text>): Source<string> => {
  if (!text) return constant('')
  let followers = 0
  let content: string | null = null
  const changed = (): void => {
    content = null
  }
  return {
    initial: '',
    get() {
      if (followers === 0) return text.toString()
      content ??= text.toString()
      return content
    },
    subscribe(listener) {
      // Before the first listener: what that one asks for must be new.
      if (followers++ === 0) text.observe(changed)
      text.observe(listener)
      return () => {
        text.unobserve(listener)
        if (--followers > 0) return
        text.unobserve(changed)
        changed()
      }
    },
  }
}

const NOBODY: readonly Person[] = []

/** Everybody else. */
export const othersSource = (presence: Maybe<Presence>): Source<readonly Person[]> =>
  presence ? { initial: NOBODY, ...presence.others } : constant(NOBODY)
