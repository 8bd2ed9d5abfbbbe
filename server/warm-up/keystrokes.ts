import * as encoding from 'lib0/encoding'

/** Of a struct's first byte (Yjs' update format, version 1): a text, and whether it says what it stands behind. */
const STRING = 4
const HAS_ORIGIN = 0x80
/** It lies in a type by this name, not within another struct. */
const IN_TYPE = 1

/**
 * What Yjs says when somebody types the next letter of a text of their own.
 *
 * @param clock letters before it.
 * @example
 *   Y.applyUpdate(doc, letter(7, 0))
 *   doc.getText('t').toString() // 'a'
 */
export const letter = (client: number, clock: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeUint8(encoder, clock === 0 ? STRING : STRING | HAS_ORIGIN)
    if (clock === 0) {
      encoding.writeVarUint(encoder, IN_TYPE)
      encoding.writeVarString(encoder, 't')
    } else {
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, clock - 1)
    }
    encoding.writeVarString(encoder, 'a')
    // Nothing is deleted.
    encoding.writeVarUint(encoder, 0)
  })

/** What y-protocols says when somebody's cursor moves for the `clock`th time. */
export const cursor = (client: number, clock: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, JSON.stringify({ user: { name: 'somebody' }, cursor: clock }))
  })
