import { baseKeymap, chainCommands, exitCode } from 'prosemirror-commands'
import { inputRules, textblockTypeInputRule, undoInputRule, wrappingInputRule } from 'prosemirror-inputrules'
import { keymap } from 'prosemirror-keymap'
import { liftListItem, sinkListItem, splitListItem } from 'prosemirror-schema-list'
import type { Plugin } from 'prosemirror-state'
import { redoCommand, undoCommand } from 'y-prosemirror'
import {
  breakLine,
  plainAtStart,
  selectText,
  toggle,
  toggleBlock,
  toggleList,
  toggleQuote,
} from './commands.js'
import { editLink } from './link.js'
import { schema } from './schema.js'

const { nodes, marks } = schema

/** Tab is not among them: it leaves the text, as everywhere on the page. */
export const keys = (): Plugin[] => [
  keymap({
    'Mod-a': selectText,
    'Mod-z': undoCommand,
    'Mod-y': redoCommand,
    'Mod-Shift-z': redoCommand,
    'Mod-b': toggle(marks.strong),
    'Mod-i': toggle(marks.em),
    'Mod-e': toggle(marks.code),
    'Mod-Shift-x': toggle(marks.strike),
    'Mod-k': editLink,
    'Mod-Alt-0': toggleBlock(nodes.paragraph),
    'Mod-Alt-1': toggleBlock(nodes.heading, { level: 1 }),
    'Mod-Alt-2': toggleBlock(nodes.heading, { level: 2 }),
    'Mod-Alt-3': toggleBlock(nodes.heading, { level: 3 }),
    'Mod-Shift-7': toggleList(nodes.ordered_list),
    'Mod-Shift-8': toggleList(nodes.bullet_list),
    'Mod-Shift-9': toggleQuote,
    'Mod-]': sinkListItem(nodes.list_item),
    'Mod-[': liftListItem(nodes.list_item),
    'Shift-Enter': chainCommands(exitCode, breakLine),
    Enter: splitListItem(nodes.list_item),
    Backspace: chainCommands(undoInputRule, plainAtStart),
  }),
  keymap(baseKeymap),
]

/** What is typed at the start of a line and means more than its letters, as in Markdown. */
export const typedShorthand = (): Plugin =>
  inputRules({
    rules: [
      textblockTypeInputRule(/^(#{1,3})\s$/, nodes.heading, ([, signs = '']) => ({ level: signs.length })),
      textblockTypeInputRule(/^```$/, nodes.code_block),
      wrappingInputRule(/^\s*([-+*])\s$/, nodes.bullet_list),
      wrappingInputRule(
        /^(\d{1,4})\.\s$/,
        nodes.ordered_list,
        ([, number]) => ({ order: Number(number) }),
        ([, number], { childCount, attrs }) => childCount + Number(attrs.order) === Number(number),
      ),
      wrappingInputRule(/^\s*>\s$/, nodes.blockquote),
    ],
  })
