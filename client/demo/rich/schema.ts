import { type MarkSpec, type NodeSpec, Schema } from 'prosemirror-model'
import { bulletList, listItem, orderedList } from 'prosemirror-schema-list'

/**
 * Where a link may lead. The document is written by others, too: a link may be anything, and a script is none.
 *
 * @returns null for what is no link
 * @example safeHref('javascript:alert(1)') // null
 */
export const safeHref = (href: unknown): string | null => {
  if (typeof href !== 'string') return null
  try {
    const { protocol } = new URL(href)
    return ['http:', 'https:', 'mailto:'].includes(protocol) ? href : null
  } catch {
    return null
  }
}

/** The page's own heading is the first: a document's headings begin at the second. */
const HEADING_TAGS = ['h2', 'h3', 'h4'] as const

const nodes = {
  doc: { content: 'block+' },
  paragraph: { content: 'inline*', group: 'block', parseDOM: [{ tag: 'p' }], toDOM: () => ['p', 0] },
  heading: {
    attrs: { level: { default: 1 } },
    content: 'inline*',
    group: 'block',
    defining: true,
    parseDOM: [
      // What was copied here says its level; elsewhere the first heading is the first.
      ...[1, 2, 3].map((level) => ({ tag: `[data-level="${level}"]`, attrs: { level } })),
      { tag: 'h1', attrs: { level: 1 } },
      { tag: 'h2', attrs: { level: 2 } },
      { tag: 'h3, h4, h5, h6', attrs: { level: 3 } },
    ],
    toDOM: ({ attrs: { level } }) => [
      HEADING_TAGS[Number(level) - 1] ?? 'h4',
      { 'data-level': String(level) },
      0,
    ],
  },
  blockquote: {
    content: 'block+',
    group: 'block',
    defining: true,
    parseDOM: [{ tag: 'blockquote' }],
    toDOM: () => ['blockquote', 0],
  },
  code_block: {
    content: 'text*',
    marks: '',
    group: 'block',
    code: true,
    defining: true,
    parseDOM: [{ tag: 'pre', preserveWhitespace: 'full' }],
    toDOM: () => ['pre', ['code', 0]],
  },
  bullet_list: { ...bulletList, content: 'list_item+', group: 'block' },
  ordered_list: { ...orderedList, content: 'list_item+', group: 'block' },
  list_item: { ...listItem, content: 'paragraph block*' },
  text: { group: 'inline' },
  hard_break: {
    inline: true,
    group: 'inline',
    selectable: false,
    parseDOM: [{ tag: 'br' }],
    toDOM: () => ['br'],
  },
} as const satisfies Readonly<Record<string, NodeSpec>>

const marks = {
  link: {
    attrs: { href: {} },
    inclusive: false,
    parseDOM: [
      {
        tag: 'a[href]',
        getAttrs: (node) => {
          const href = safeHref(node.getAttribute('href'))
          return href === null ? false : { href }
        },
      },
    ],
    toDOM: ({ attrs }) => {
      const href = safeHref(attrs.href)
      return href === null
        ? ['span', 0]
        : ['a', { href, title: href, target: '_blank', rel: 'noopener noreferrer nofollow' }, 0]
    },
  },
  em: { parseDOM: [{ tag: 'em' }, { tag: 'i' }], toDOM: () => ['em', 0] },
  strong: { parseDOM: [{ tag: 'strong' }, { tag: 'b' }], toDOM: () => ['strong', 0] },
  strike: { parseDOM: [{ tag: 's' }, { tag: 'del' }], toDOM: () => ['s', 0] },
  code: { code: true, parseDOM: [{ tag: 'code' }], toDOM: () => ['code', 0] },
} as const satisfies Readonly<Record<string, MarkSpec>>

/** What a rich text may consist of. A new kind of node here is one that older pages take out: see y-prosemirror. */
export const schema = new Schema<keyof typeof nodes, keyof typeof marks>({ nodes, marks })
