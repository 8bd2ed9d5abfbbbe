import { type Command, type EditorState, Plugin } from 'prosemirror-state'
import type { EditorView } from 'prosemirror-view'
import { redoCommand, undoCommand } from 'y-prosemirror'
import { hasMark, isInList, isInside, toggle, toggleBlock, toggleList, toggleQuote } from './commands.js'
import { editLink, stretchOf } from './link.js'
import { schema } from './schema.js'

const { nodes, marks } = schema

interface Tool {
  readonly label: string
  /** As `aria-keyshortcuts` wants it, with Control for Mod. */
  readonly keys: string
  /** A path in a square of 20 units. */
  readonly icon: string
  readonly command: Command
  /** Whether it is pressed; left out for what is no state. */
  readonly isOn?: (state: EditorState) => boolean
}

/** In groups, which a line divides. */
const TOOLS: readonly (readonly Tool[])[] = [
  [
    {
      label: 'Bold',
      keys: 'Control+B',
      icon: 'M6.5 4h4.2a3 3 0 0 1 0 6H6.5zm0 6h5a3 3 0 0 1 0 6h-5z',
      command: toggle(marks.strong),
      isOn: (state) => hasMark(state, marks.strong),
    },
    {
      label: 'Italic',
      keys: 'Control+I',
      icon: 'M8.5 4h6M5.5 16h6M11.5 4l-3 12',
      command: toggle(marks.em),
      isOn: (state) => hasMark(state, marks.em),
    },
    {
      label: 'Struck through',
      keys: 'Control+Shift+X',
      icon: 'M4 10h12M13.6 6.4C13 5 11.7 4 10 4 7.9 4 6.4 5.2 6.4 7c0 .8.3 1.5.9 2M6.3 13.4C6.9 15 8.3 16 10.2 16c2.1 0 3.6-1.2 3.6-3 0-.3 0-.7-.2-1',
      command: toggle(marks.strike),
      isOn: (state) => hasMark(state, marks.strike),
    },
    {
      label: 'Code',
      keys: 'Control+E',
      icon: 'm7 6-4 4 4 4m6-8 4 4-4 4',
      command: toggle(marks.code),
      isOn: (state) => hasMark(state, marks.code),
    },
    {
      label: 'Link',
      keys: 'Control+K',
      icon: 'M8.5 11.5a3.5 3.5 0 0 0 5 0l2.6-2.6a3.5 3.5 0 0 0-5-5l-1 1M11.5 8.5a3.5 3.5 0 0 0-5 0l-2.6 2.6a3.5 3.5 0 0 0 5 5l1-1',
      command: editLink,
      isOn: (state) => stretchOf(state).mark !== null,
    },
  ],
  [
    {
      label: 'Heading',
      keys: 'Control+Alt+1',
      icon: 'M4 4v12m8-12v12M4 10h8m3.5-2.5L17.5 6v10',
      command: toggleBlock(nodes.heading, { level: 1 }),
      isOn: (state) => isInside(state, nodes.heading, { level: 1 }),
    },
    {
      label: 'Subheading',
      keys: 'Control+Alt+2',
      icon: 'M3 4v12m7-12v12M3 10h7m3.5-1.5a2 2 0 1 1 3.5 1.3L13.5 16H17.5',
      command: toggleBlock(nodes.heading, { level: 2 }),
      isOn: (state) => isInside(state, nodes.heading, { level: 2 }),
    },
  ],
  [
    {
      label: 'Bulleted list',
      keys: 'Control+Shift+8',
      icon: 'M8 5h9M8 10h9M8 15h9M3.5 5h.01M3.5 10h.01M3.5 15h.01',
      command: toggleList(nodes.bullet_list),
      isOn: (state) => isInList(state, nodes.bullet_list),
    },
    {
      label: 'Numbered list',
      keys: 'Control+Shift+7',
      icon: 'M9 5h8M9 10h8M9 15h8M3 4.5 4.5 3.5V8M3 12.8a1.2 1.2 0 1 1 2.2.8L3 16.5h2.5',
      command: toggleList(nodes.ordered_list),
      isOn: (state) => isInList(state, nodes.ordered_list),
    },
    {
      label: 'Quote',
      keys: 'Control+Shift+9',
      icon: 'M4 4v12M8 6h9M8 10h9M8 14h5',
      command: toggleQuote,
      isOn: (state) => isInside(state, nodes.blockquote),
    },
    {
      label: 'Code block',
      keys: '',
      icon: 'M3 4.5h14v11H3zM8 8l-2 2 2 2m4-4 2 2-2 2',
      command: toggleBlock(nodes.code_block),
      isOn: (state) => isInside(state, nodes.code_block),
    },
  ],
  [
    {
      label: 'Undo',
      keys: 'Control+Z',
      icon: 'M7 4 3.5 7.5 7 11M3.5 7.5H12a4.25 4.25 0 0 1 0 8.5H8',
      command: undoCommand,
    },
    {
      label: 'Redo',
      keys: 'Control+Y',
      icon: 'm13 4 3.5 3.5L13 11m3.5-3.5H8A4.25 4.25 0 0 0 8 16h4',
      command: redoCommand,
    },
  ],
]

/**
 * Fills a toolbar and keeps it up to date while the editor lives. As toolbars do, it is one stop on the way of
 * the Tab key; the arrow keys lead through it, and Escape back to the text.
 */
export const toolbar = (host: HTMLElement): Plugin =>
  new Plugin({
    view: (view) => {
      const ended = new AbortController()
      const { signal } = ended
      const parts = TOOLS.map((group) => group.map((tool) => ({ tool, button: buttonFor(tool) })))
      const flat = parts.flat()
      host.replaceChildren(...parts.map((group) => inGroup(group.map(({ button }) => button))))
      setStop(flat.map(({ button }) => button))

      for (const { tool, button } of flat) {
        // The text keeps the focus, and with it the phone its keyboard.
        button.addEventListener('pointerdown', (event) => event.preventDefault(), { signal })
        button.addEventListener('mousedown', (event) => event.preventDefault(), { signal })
        button.addEventListener('click', () => run(tool, view), { signal })
      }
      host.addEventListener('keydown', (event) => steer(event, host, view), { signal })

      const update = (): void => {
        for (const { tool, button } of flat) {
          if (tool.isOn) button.ariaPressed = String(tool.isOn(view.state))
          // Not `disabled`: a button that is would lose the focus at the last undo.
          button.ariaDisabled = String(!tool.command(view.state, undefined, view))
        }
      }
      update()
      const showEnds = (): void => markEnds(host)
      const resized = new ResizeObserver(showEnds)
      resized.observe(host)
      host.addEventListener('scroll', showEnds, { signal })
      return {
        update,
        destroy: () => {
          ended.abort()
          resized.disconnect()
          host.replaceChildren()
        },
      }
    },
  })

/** Says at which end there is more than is seen; the style sheet makes it fade. */
const markEnds = (host: HTMLElement): void => {
  const { scrollLeft, scrollWidth, clientWidth } = host
  host.classList.toggle('more-before', scrollLeft > 1)
  host.classList.toggle('more-after', scrollLeft + clientWidth < scrollWidth - 1)
}

const run = ({ command }: Tool, view: EditorView): void => {
  command(view.state, view.dispatch, view)
}

const buttonFor = ({ label, keys, icon }: Tool): HTMLButtonElement => {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'tool'
  button.ariaLabel = label
  button.title = keys ? `${label} (${keys.replace('Control', 'Ctrl')})` : label
  if (keys) button.setAttribute('aria-keyshortcuts', keys)
  button.append(drawing(icon))
  return button
}

const SVG = 'http://www.w3.org/2000/svg'

const drawing = (icon: string): SVGElement => {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 20 20')
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', icon)
  svg.append(path)
  return svg
}

const inGroup = (buttons: readonly HTMLElement[]): HTMLElement => {
  const group = document.createElement('div')
  group.className = 'tools'
  group.append(...buttons)
  return group
}

/** Makes one of the buttons the stop of the Tab key. */
const setStop = (buttons: readonly HTMLElement[], stop = buttons[0]): void => {
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1
}

const steer = (event: KeyboardEvent, host: HTMLElement, view: EditorView): void => {
  const buttons = [...host.querySelectorAll('button')]
  const at = (buttons as Element[]).indexOf(event.target as Element)
  const next = (() => {
    switch (event.key) {
      case 'ArrowRight':
        return (at + 1) % buttons.length
      case 'ArrowLeft':
        return (at - 1 + buttons.length) % buttons.length
      case 'Home':
        return 0
      case 'End':
        return buttons.length - 1
      case 'Escape':
        view.focus()
        return null
      default:
        return null
    }
  })()
  const button = next === null ? undefined : buttons[next]
  if (!button) return
  event.preventDefault()
  setStop(buttons, button)
  button.focus()
}
