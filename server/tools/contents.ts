import * as Y from 'yjs'

/** What a shared type shows: its sequence and its keys, whichever of them it uses. */
export interface Contents {
  /** Which type it is; a root that nobody declared has none. */
  readonly type: string
  /** Texts that follow each other are one. */
  readonly sequence: readonly unknown[]
  readonly keys: ReadonlyMap<string, unknown>
}

/** Any shared type: of its events we want none. */
type SharedType = Pick<Y.AbstractType<never>, '_start' | '_map'>

/** One format that begins or ends in a text. */
interface Mark {
  readonly format: string
  readonly value: unknown
}

/**
 * All that a document shows, by root, for `isDeepStrictEqual`: texts with their formats, attributes, values, nested
 * types and subdocuments. It goes by what is stored rather than by `toJSON`, which takes knowing what type each root
 * is, and leaves out formats.
 *
 * @throws RangeError for nesting deeper than the stack.
 */
export const contentsOf = (doc: Y.Doc): ReadonlyMap<string, Contents> =>
  new Map([...doc.share].map(([name, type]) => [name, contentsOfType(type)]))

const contentsOfType = (type: SharedType): Contents => {
  const sequence: unknown[] = []
  for (let item = type._start; item !== null; item = item.right) {
    if (!item.deleted) for (const part of partsOf(item.content)) append(sequence, part)
  }
  const keys = new Map<string, unknown>()
  for (const [key, item] of type._map) {
    if (!item.deleted) keys.set(key, partsOf(item.content).at(-1))
  }
  return { type: nameOf(type), sequence, keys }
}

const nameOf = (type: SharedType): string => {
  if (type instanceof Y.XmlElement) return `element ${type.nodeName}`
  if (type instanceof Y.XmlHook) return `hook ${type.hookName}`
  // The name of the class, by what it is: a build may have shortened it.
  for (const [name, known] of TYPES) if (type instanceof known) return name
  return ''
}

/** The most special ones first. */
const TYPES = [
  ['xml text', Y.XmlText],
  ['text', Y.Text],
  ['array', Y.Array],
  ['map', Y.Map],
  ['fragment', Y.XmlFragment],
] as const

const partsOf = (content: Y.Item['content']): readonly unknown[] => {
  if (content instanceof Y.ContentString) return [content.str]
  if (content instanceof Y.ContentFormat) {
    const mark: Mark = { format: content.key, value: content.value }
    return [mark]
  }
  if (content instanceof Y.ContentType) return [contentsOfType(content.type)]
  if (content instanceof Y.ContentDoc) return [{ subdocument: content.doc.guid }]
  // Single values: in an array, a string among them isn't text.
  return content.getContent().map((value: unknown) => ({ value }))
}

const append = (sequence: unknown[], part: unknown): void => {
  const last = sequence.at(-1)
  if (typeof part === 'string' && typeof last === 'string') sequence[sequence.length - 1] = last + part
  else sequence.push(part)
}
