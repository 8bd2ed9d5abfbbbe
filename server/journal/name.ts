import { checkName } from '../../shared/name.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A document's name as the opaque bytes that it is in the store.
 *
 * @throws InkwireError INKWIRE_BAD_NAME as {@link checkName}.
 */
export const nameToBytes = (name: string): Uint8Array => {
  checkName(name)
  return encoder.encode(name)
}

/** The name that lies in `bytes`; `null` when they are no UTF-8 (a damaged key). */
export const nameFromBytes = (bytes: Uint8Array): string | null => {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}
