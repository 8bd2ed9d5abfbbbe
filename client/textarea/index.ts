/**
 * Ties a `Y.Text` to a plain textarea or input, so that many can type in it at once.
 *
 * @module inkwire/client/textarea
 */
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import { type BindingOptions, TextBinding } from './binding.js'

/** How a binding behaves; every option may be left out. */
export interface TextareaOptions extends BindingOptions {
  /** Where to publish the local selection and to find the others'. */
  readonly awareness?: Awareness | undefined
}

export type { TextBinding as TextareaBinding }

/**
 * Ties a text to a textarea. The element shows the shared text at once, whatever it held before.
 *
 * @throws TypeError if the text is not part of a document yet
 * @example
 *   const binding = bindTextarea(doc.getText('notes'), document.querySelector('textarea'), { awareness })
 *   …
 *   binding.destroy()
 */
export const bindTextarea = (
  ytext: Y.Text,
  element: HTMLTextAreaElement,
  options: TextareaOptions = {},
): TextBinding => new TextBinding(ytext, element, options)

/** The same for an input of any type that holds text. Line ends of the shared text stay, but don't show. */
export const bindInput = (
  ytext: Y.Text,
  element: HTMLInputElement,
  options: TextareaOptions = {},
): TextBinding => new TextBinding(ytext, element, options)
