import { InkwireError } from './errors.js'

/** PROTOCOL W2. */
const LONGEST_NAME_BYTES = 1024

/**
 * Checks that a string can be a document's name: 1 to 1,024 bytes of well-formed Unicode (PROTOCOL W2).
 *
 * @throws InkwireError INKWIRE_BAD_NAME
 */
export const checkName = (name: string): void => {
  if (name === '') throw badName('the document name is empty')
  const bytes = new TextEncoder().encode(name).length
  if (bytes > LONGEST_NAME_BYTES) {
    throw badName(`the document name has ${bytes} bytes, ${LONGEST_NAME_BYTES} are allowed`)
  }
  // A lone surrogate has no UTF-8: two such names would become one key.
  if (/\p{Surrogate}/u.test(name)) throw badName('the document name is not well-formed Unicode')
}

const badName = (what: string): InkwireError => new InkwireError('INKWIRE_BAD_NAME', what)
