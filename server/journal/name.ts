import { InkwireError } from '../../shared/errors.js'

/** PROTOCOL W2. */
const LONGEST_NAME_BYTES = 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A document's name as the opaque bytes that it is in the store.
 *
 * @throws InkwireError INKWIRE_BAD_NAME unless it is 1 to 1,024 bytes of well-formed Unicode. A lone surrogate has
 *   no UTF-8: two such names would become one key.
 */
export const nameToBytes = (name: string): Uint8Array => {
  const bytes = encoder.encode(name)
  if (bytes.length === 0) throw new InkwireError('INKWIRE_BAD_NAME', 'the document name is empty')
  if (bytes.length > LONGEST_NAME_BYTES) {
    const what = `the document name has ${bytes.length} bytes, ${LONGEST_NAME_BYTES} are allowed`
    throw new InkwireError('INKWIRE_BAD_NAME', what)
  }
  if (/\p{Surrogate}/u.test(name)) {
    throw new InkwireError('INKWIRE_BAD_NAME', 'the document name is not well-formed Unicode')
  }
  return bytes
}

/** The name that lies in `bytes`; `null` when they are no UTF-8 (a damaged key). */
export const nameFromBytes = (bytes: Uint8Array): string | null => {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}
