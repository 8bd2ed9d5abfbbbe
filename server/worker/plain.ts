import { toBase64 } from 'lib0/buffer'
import * as Y from 'yjs'

/**
 * A Yjs value as data that `JSON.stringify` takes as it is. Text becomes a string, XML its markup, bytes base64,
 * a bigint its digits, a subdocument `{"guid": …}`.
 *
 * Objects have no prototype: a key `__proto__`, which any author can write, is then a key like any other, whereas
 * Yjs' own `toJSON()` would change the prototype of its result.
 *
 * @throws RangeError for nesting deeper than the stack.
 */
export const toPlain = (value: unknown): unknown => {
  if (value instanceof Y.XmlFragment || value instanceof Y.XmlText || value instanceof Y.XmlHook) {
    return value.toString()
  }
  if (value instanceof Y.Text) return value.toString()
  if (value instanceof Y.Array) return value.toArray().map(toPlain)
  if (value instanceof Y.Map) return toRecord(value.entries())
  if (value instanceof Y.Doc) return toRecord([['guid', value.guid]])
  if (value instanceof Uint8Array) return toBase64(value)
  if (Array.isArray(value)) return value.map(toPlain)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'object' && value !== null) return toRecord(Object.entries(value))
  return value ?? null
}

/** An object without a prototype. */
export const toRecord = (entries: Iterable<[string, unknown]>): Record<string, unknown> => {
  const record: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) record[key] = toPlain(value)
  return record
}
