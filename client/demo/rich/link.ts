import type { Mark } from 'prosemirror-model'
import { type Command, type EditorState, Plugin } from 'prosemirror-state'
import type { EditorView } from 'prosemirror-view'
import { byId } from '../dom.js'
import { placeBy } from '../popover.js'
import { safeHref, schema } from './schema.js'

const { link } = schema.marks

/** What a link would be laid on, or is. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly mark: Mark | null
}

/**
 * An address as it was typed or pasted, with `https://` where it names no scheme.
 *
 * @returns null for what is no address
 * @example hrefOf('example.org/walks') // 'https://example.org/walks'
 */
export const hrefOf = (typed: string): string | null => {
  const text = typed.trim()
  if (text === '' || /\s/.test(text)) return null
  return safeHref(text) ?? (/^[^/:]+\.[^/:]+/.test(text) ? safeHref(`https://${text}`) : null)
}

/** The whole link that the caret is in or the selection begins in; otherwise what is selected. */
export const stretchOf = ({ selection: { $from, from, to } }: EditorState): Stretch => {
  const { parent, parentOffset } = $from
  let [start, end] = [0, 0]
  let mark: Mark | undefined
  parent.forEach((node, offset) => {
    const here = link.isInSet(node.marks)
    if (end > 0 && end >= parentOffset && mark) return
    // Pieces of one link, some of them bold, follow each other.
    if (!here || !mark || !here.eq(mark)) start = offset
    mark = here
    end = offset + node.nodeSize
  })
  if (!mark || end < parentOffset || start > parentOffset) return { from, to, mark: null }
  return { from: $from.start() + start, to: $from.start() + end, mark }
}

/** Lays a link on a stretch, or takes it off; where nothing is selected the address itself is written. */
const setLink = (view: EditorView, { from, to }: Stretch, href: string | null): void => {
  const { tr } = view.state
  if (href === null) tr.removeMark(from, to, link)
  else if (from === to) tr.insert(from, schema.text(href, [link.create({ href })]))
  else tr.removeMark(from, to, link).addMark(from, to, link.create({ href }))
  view.dispatch(tr.removeStoredMark(link).scrollIntoView())
}

/** How to open the panel of an editor. */
const openers = new WeakMap<EditorView, () => void>()

/** Asks where the link is to lead. */
export const editLink: Command = (state, dispatch, view) => {
  if (!state.selection.$from.parent.type.allowsMarkType(link)) return false
  if (dispatch && view) openers.get(view)?.()
  return true
}

/** The panel for a link's address; and an address that is pasted on selected text makes it a link. */
export const links = (): Plugin =>
  new Plugin({
    props: {
      handlePaste: (view, event) => {
        const href = safeHref(event.clipboardData?.getData('text/plain').trim())
        if (href === null || view.state.selection.empty || !editLink(view.state)) return false
        setLink(view, { ...stretchOf(view.state), ...view.state.selection }, href)
        return true
      },
    },
    view: (view) => {
      const ended = new AbortController()
      const { signal } = ended
      const panel = byId('link-panel', HTMLElement)
      const field = byId('href', HTMLInputElement)
      const remove = byId('unlink', HTMLButtonElement)
      const wrong = byId('href-wrong', HTMLElement)

      const finish = (href: string | null): void => {
        panel.hidePopover()
        setLink(view, stretchOf(view.state), href)
        view.focus()
      }
      const submit = (event: Event): void => {
        event.preventDefault()
        const href = hrefOf(field.value)
        wrong.hidden = href !== null
        if (href !== null) finish(href)
      }

      openers.set(view, () => {
        const { mark, from } = stretchOf(view.state)
        field.value = mark ? String(mark.attrs.href) : ''
        remove.hidden = mark === null
        wrong.hidden = true
        panel.showPopover()
        placeBy(panel, view.coordsAtPos(from))
        field.focus()
      })
      byId('link-form', HTMLFormElement).addEventListener('submit', submit, { signal })
      remove.addEventListener('click', () => finish(null), { signal })
      panel.addEventListener('keydown', ({ key }) => key === 'Escape' && view.focus(), { signal })
      return {
        destroy: () => {
          ended.abort()
          if (panel.matches(':popover-open')) panel.hidePopover()
        },
      }
    },
  })
