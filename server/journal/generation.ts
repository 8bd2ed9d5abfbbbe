/** A source of random bytes, as `crypto.randomBytes`. */
export type RandomBytes = (size: number) => Uint8Array

/** A generation id's size in the store and on the wire; it is 32 hex digits everywhere else. */
export const GENERATION_BYTES = 16

/** A new generation id, as 32 hex digits. */
export const mintGeneration = (randomBytes: RandomBytes): string =>
  generationToHex(randomBytes(GENERATION_BYTES))

/** @example generationToHex(new Uint8Array(16)) // '00000000000000000000000000000000' */
export const generationToHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** The reverse of {@link generationToHex}. */
export const generationToBytes = (generation: string): Uint8Array => Buffer.from(generation, 'hex')
