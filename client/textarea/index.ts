/**
 * Ties a `Y.Text` to a plain textarea or input, so that many can type in it at once.
 *
 * @module inkwire/client/textarea
 */
import type * as Y from 'yjs'
import { bind } from './binding.js'
import type { TextareaBinding, TextareaOptions } from './options.js'

export type { AwarenessLike, ProviderLike, TextareaBinding, TextareaOptions } from './options.js'

/**
 * Ties a text to a textarea. The element shows the shared text at once, whatever it held before. It takes one
 * binding at a time, so that a second one destroys the first; a text takes any number.
 *
 * @throws TypeError if the text is not part of a document yet
 * @example
 *   const binding = bindTextarea(doc.getText('notes'), document.querySelector('textarea'), { provider })
 *   …
 *   binding.destroy()
 */
export const bindTextarea: (
  ytext: Y.Text,
  element: HTMLTextAreaElement,
  options?: TextareaOptions,
) => TextareaBinding = bind

/**
 * The same for an input that holds text, of any type. Line ends in the shared text stay, but don't show.
 *
 * @throws TypeError if the text is not part of a document yet
 * @example bindInput(doc.getText('title'), document.querySelector('input'), { provider })
 */
export const bindInput: (
  ytext: Y.Text,
  element: HTMLInputElement,
  options?: TextareaOptions,
) => TextareaBinding = bind
