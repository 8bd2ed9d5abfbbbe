import { isCorruption, newerFormat, storeFailed } from './errors.js'
import { FORMAT_KEY } from './keys.js'
import { encodeFormat, readRecord } from './records.js'
import type { Store } from './store.js'

/**
 * Marks a new store as ours, and refuses one that a newer version wrote.
 *
 * @throws InkwireError INKWIRE_STORE_FORMAT, INKWIRE_STORE_FAILED
 */
export const claimFormat = async (store: Store): Promise<void> => {
  let value: Uint8Array | undefined
  try {
    value = await store.get(FORMAT_KEY)
    if (!value) return await store.write([{ key: FORMAT_KEY, value: encodeFormat(FORMAT_KEY) }])
  } catch (error) {
    // A damaged mark is no reason to refuse the documents.
    if (isCorruption(error)) return
    throw storeFailed('the store can not be read or written', error)
  }
  const reading = readRecord(FORMAT_KEY, value)
  if (reading.status === 'newer') throw newerFormat('this store', reading.version)
}
