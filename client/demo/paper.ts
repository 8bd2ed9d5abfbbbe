import { bindTextarea } from '../textarea/index.js'
import type { Kind } from './address.js'
import { byId, create } from './dom.js'
import type { Editor, EditorState } from './editor.js'
import type { OpenDocument } from './open-document.js'

/** The sheet of paper in the middle of the page: whatever edits the document that is shown. */
export interface Paper {
  /** Shows a document, in place of what was shown; what is shown already stays as it is. */
  show(document: OpenDocument, kind: Kind): void
  /** Shows nothing. */
  clear(): void
  update(state: EditorState): void
  /** Puts the caret into the text, as soon as there is one. */
  focus(): void
}

export const createPaper = (): Paper => {
  const sheet = byId('paper', HTMLElement)
  const textarea = byId('text', HTMLTextAreaElement)
  const host = byId('rich', HTMLElement)
  const tools = byId('tools', HTMLElement)
  let editor: Editor | null = null
  let state: EditorState = { editable: false, placeholder: '' }
  let focusWanted = false
  let shown: { readonly document: OpenDocument; readonly kind: Kind } | null = null
  /** Which showing this is: a chunk that arrives late belongs to none any more. */
  let showing = 0

  const clear = (): void => {
    showing++
    shown = null
    editor?.destroy()
    editor = null
    focusWanted = false
    textarea.value = ''
    host.replaceChildren()
    lay('plain')
  }

  const lay = (kind: Kind): void => {
    sheet.dataset.kind = kind
    textarea.hidden = kind !== 'plain'
    host.hidden = kind !== 'rich'
  }

  const take = (next: Editor): void => {
    editor = next
    editor.update(state)
    if (focusWanted) editor.focus()
  }

  const showRich = async ({ doc, rich, provider }: OpenDocument): Promise<void> => {
    const mine = showing
    try {
      const { editRichText } = await import('./rich/index.js')
      if (mine !== showing) return
      take(editRichText({ doc, fragment: rich, awareness: provider.awareness, host, tools }))
    } catch (error) {
      if (mine !== showing) return
      host.replaceChildren(
        create('p', 'failure', 'The editor could not be loaded. Reload the page to try again.'),
      )
      console.error(error)
    }
  }

  return {
    clear,
    show(document, kind) {
      if (shown?.document === document && shown.kind === kind) return
      // Who wanted to type still does when it turns out to be of the other kind.
      const wanted = focusWanted
      clear()
      focusWanted = wanted
      shown = { document, kind }
      lay(kind)
      if (kind === 'rich') void showRich(document)
      else take(editPlainText(document, textarea))
    },
    update(next) {
      state = next
      // A phone has no room for tools that nobody may use.
      tools.hidden = sheet.dataset.kind !== 'rich' || !state.editable
      editor?.update(state)
      if (!editor) {
        textarea.readOnly = true
        textarea.placeholder = ''
      }
    },
    focus() {
      focusWanted = true
      editor?.focus()
    },
  }
}

const editPlainText = ({ text, provider }: OpenDocument, textarea: HTMLTextAreaElement): Editor => {
  const binding = bindTextarea(text, textarea, { provider })
  return {
    focus: () => textarea.focus(),
    update: ({ editable, placeholder }) => {
      textarea.readOnly = !editable
      textarea.placeholder = placeholder
    },
    destroy: () => binding.destroy(),
  }
}
