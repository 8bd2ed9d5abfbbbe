import { type Plugin, PluginKey, Plugin as StatePlugin } from 'prosemirror-state'
import { yCursorPlugin } from 'y-prosemirror'
import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { create, setText } from '../dom.js'
import { readPerson } from '../people.js'

/** A name stands beside a caret for so long after its owner has moved, ms. */
const NAMED_MS = 3_000

/**
 * Others' carets and selections, and one's own for them to see.
 *
 * @param doc that the positions are in; what others publish may be anything
 */
export const carets = (awareness: Awareness, doc: Y.Doc): Plugin[] => [
  yCursorPlugin(awareness, {
    awarenessStateFilter: (own, id, state) => id !== own && isDrawable(state, doc),
    cursorBuilder: (_user, id) => {
      const caret = create('span', 'caret')
      // A screen reader would read the name in the middle of a sentence.
      caret.ariaHidden = 'true'
      caret.dataset.client = String(id)
      caret.append(create('span', 'caret-name'))
      paint(caret, awareness, id)
      caret.classList.toggle('named', isFresh(awareness, id))
      return caret
    },
    selectionBuilder: (_user, id) => ({
      class: 'others-selection',
      style: `--color: ${personOf(awareness, id)?.color ?? 'gray'}`,
    }),
  }),
  names(awareness),
]

/** Shows names for a while, and keeps them true: y-prosemirror draws a caret once and then only moves it. */
const names = (awareness: Awareness): Plugin =>
  new StatePlugin({
    key: new PluginKey('names'),
    view: (view) => {
      const timers = new Map<number, ReturnType<typeof setTimeout>>()
      const find = (id: number) => view.dom.querySelector<HTMLElement>(`.caret[data-client="${id}"]`)
      const moved = ({ added, updated }: { added: number[]; updated: number[] }): void => {
        for (const id of [...added, ...updated]) {
          if (id === awareness.clientID) continue
          clearTimeout(timers.get(id))
          timers.set(
            id,
            setTimeout(() => find(id)?.classList.remove('named'), NAMED_MS),
          )
          const caret = find(id)
          if (!caret) continue
          paint(caret, awareness, id)
          caret.classList.add('named')
        }
      }
      awareness.on('change', moved)
      return {
        update: () => keepInside(view.dom),
        destroy: () => {
          awareness.off('change', moved)
          for (const timer of timers.values()) clearTimeout(timer)
        },
      }
    },
  })

/** Names at the right go to the left of their carets, or the edge would cut them off. */
const keepInside = (text: HTMLElement): void => {
  const { left, width } = text.getBoundingClientRect()
  for (const caret of text.querySelectorAll('.caret.named'))
    caret.classList.toggle('turned', caret.getBoundingClientRect().left > left + width / 2)
}

const isFresh = ({ meta }: Awareness, id: number): boolean =>
  Date.now() - (meta.get(id)?.lastUpdated ?? 0) < NAMED_MS

/** Of one alone: with many here, all move all the time. */
const personOf = ({ states }: Awareness, id: number) => {
  const state = states.get(id)
  return state && readPerson(id, state)
}

const paint = (caret: HTMLElement, awareness: Awareness, id: number): void => {
  const person = personOf(awareness, id)
  if (!person) return
  caret.style.setProperty('--color', person.color)
  const name = caret.querySelector<HTMLElement>('.caret-name')
  if (name) setText(name, person.name)
}

/** Whether a state can be drawn without an error: y-prosemirror takes it for granted. */
const isDrawable = (state: unknown, doc: Y.Doc): boolean => {
  const { cursor, user } = Object(state) as { cursor?: unknown; user?: unknown }
  if (typeof cursor !== 'object' || cursor === null) return false
  if (user !== undefined && user !== null && typeof user !== 'object') return false
  try {
    const { anchor, head } = cursor as { anchor: unknown; head: unknown }
    for (const end of [anchor, head])
      Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(end), doc)
    return true
  } catch {
    return false
  }
}
