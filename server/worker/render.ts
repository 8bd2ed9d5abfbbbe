import * as Y from 'yjs'
import { InkwireError } from '../../shared/errors.js'
import { type CompactJob, loadDocument } from './compact.js'
import { toPlain, toRecord } from './plain.js'

/** What a document can be rendered as. */
export type RenderFormat = 'text' | 'json'

/** What a root type turned out to be; `empty` holds nothing (any more) that would tell. */
export type RootKind = 'text' | 'map' | 'array' | 'xml' | 'empty'

/**
 * Renders a document for a human or a script. Pure, but heavy: belongs into a worker thread.
 *
 * A stored document doesn't say which type each of its roots is, so it is told from what the root holds.
 *
 * - `json`: an object with a key per root (in order of name), or the value of `root` alone. Text is a string, XML
 *   its markup, an emptied root `null`. Indented, with a newline at the end.
 * - `text`: the characters of the only root, or of `root`, and nothing else. XML gives its text, a line per block;
 *   a map or an array its JSON. Several roots come one after the other, each below a line `=== name ===`.
 *
 * @throws InkwireError INKWIRE_BAD_OPTION when there is no root of that name; otherwise as `loadDocument`.
 */
export const renderDocument = (job: CompactJob, format: RenderFormat, root?: string): string => {
  const doc = loadDocument(job)
  try {
    const names = [...doc.share.keys()].sort()
    if (root !== undefined && !names.includes(root)) throw noRoot(root, names)
    switch (format) {
      case 'json': {
        const value = root === undefined ? jsonOfAll(doc, names) : jsonOf(doc, root)
        return `${JSON.stringify(value, null, 2)}\n`
      }
      case 'text':
        return root === undefined ? textOfAll(doc, names) : textOf(doc, root)
      default:
        return format satisfies never
    }
  } finally {
    doc.destroy()
  }
}

/** Tells from its contents what a root is that nobody declared. */
export const rootKind = (type: Pick<Y.AbstractType<never>, '_start' | '_map'>): RootKind => {
  let kind: RootKind = 'empty'
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const content = item.content
    // Only text holds characters, whatever else is embedded in it.
    if (content instanceof Y.ContentString || content instanceof Y.ContentEmbed) return 'text'
    if (content instanceof Y.ContentFormat) kind = kind === 'empty' ? 'text' : kind
    // A fragment holds XML types only, an array may hold one among others.
    else if (kind !== 'array' && content instanceof Y.ContentType && isXml(content.type)) kind = 'xml'
    else kind = 'array'
  }
  if (kind !== 'empty') return kind
  for (const item of type._map.values()) if (!item.deleted) return 'map'
  return 'empty'
}

const isXml = (type: unknown): boolean =>
  type instanceof Y.XmlElement || type instanceof Y.XmlText || type instanceof Y.XmlHook

const jsonOfAll = (doc: Y.Doc, names: readonly string[]): unknown =>
  toRecord(names.map((name) => [name, jsonOf(doc, name)]))

const jsonOf = (doc: Y.Doc, name: string): unknown => {
  const root = typedRoot(doc, name)
  return root === null ? null : toPlain(root)
}

const textOfAll = (doc: Y.Doc, names: readonly string[]): string => {
  const [only] = names
  if (only !== undefined && names.length === 1) return textOf(doc, only)
  return names.map((name) => `=== ${name} ===\n${textOf(doc, name).replace(/\n?$/, '\n')}`).join('\n')
}

const textOf = (doc: Y.Doc, name: string): string => {
  const root = typedRoot(doc, name)
  if (root === null) return ''
  if (root instanceof Y.Text) return root.toString()
  if (root instanceof Y.XmlFragment) return xmlText(root)
  return `${JSON.stringify(toPlain(root), null, 2)}\n`
}

/** The root as the type it is; `null` when it is empty. */
const typedRoot = (
  doc: Y.Doc,
  name: string,
): Y.Text | Y.Map<unknown> | Y.Array<unknown> | Y.XmlFragment | null => {
  const kind = rootKind(doc.get(name))
  switch (kind) {
    case 'text':
      return doc.getText(name)
    case 'map':
      return doc.getMap(name)
    case 'array':
      return doc.getArray(name)
    case 'xml':
      return doc.getXmlFragment(name)
    case 'empty':
      return null
    default:
      return kind satisfies never
  }
}

const xmlText = (node: Y.XmlFragment): string => {
  const children: readonly unknown[] = node.toArray()
  let text = ''
  let isBlock = children.length === 0
  for (const child of children) {
    if (child instanceof Y.XmlText) {
      // XmlText's own toString would give markup.
      text += Y.Text.prototype.toString.call(child)
      isBlock = true
    } else if (child instanceof Y.XmlFragment) {
      text += xmlText(child)
    }
  }
  return isBlock && node instanceof Y.XmlElement ? `${text}\n` : text
}

const noRoot = (root: string, names: readonly string[]): InkwireError =>
  new InkwireError(
    'INKWIRE_BAD_OPTION',
    names.length === 0
      ? `there is no root "${root}": the document is empty`
      : `there is no root "${root}"; there ${names.length === 1 ? 'is' : 'are'} ${names.map((name) => `"${name}"`).join(', ')}`,
  )
