import * as encoding from 'lib0/encoding'

/**
 * A struct that no editing made. A text stands in the root type `text`; later ones continue the one before. One `behind`
 * another client's is a deleted one.
 */
export type ForgedStruct =
  | { readonly gc: number }
  | { readonly skip: number }
  | { readonly text: string }
  | { readonly behind: readonly [client: number, clock: number] }

/** What an update holds of one client. */
export interface ForgedAuthor {
  readonly client: number
  readonly clock?: number
  readonly structs: readonly ForgedStruct[]
}

/** What is in a forged update. */
export interface Forged {
  readonly client?: number
  readonly clock?: number
  readonly structs?: readonly ForgedStruct[]
  /** `[client, clock, length]` */
  readonly deletes?: readonly (readonly [client: number, clock: number, length: number])[]
}

/**
 * An update by hand, v1.
 *
 * @example
 *   forge({ client: 7, clock: 5, structs: [{ gc: 2 ** 40 }] }) // takes the clocks of 7's next edits
 */
export const forge = ({ client = 1, clock = 0, structs = [], deletes = [] }: Forged): Uint8Array =>
  forgeOfMany(structs.length > 0 ? [{ client, clock, structs }] : [], deletes)

/** The same with structs of many clients. */
export const forgeOfMany = (
  authors: readonly ForgedAuthor[],
  deletes: NonNullable<Forged['deletes']> = [],
): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, authors.length)
    for (const { client, clock = 0, structs } of authors) {
      encoding.writeVarUint(encoder, structs.length)
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, clock)
      for (const struct of structs) writeStruct(encoder, struct)
    }
    const byClient = new Map<number, (readonly [number, number, number])[]>()
    for (const each of deletes)
      if (byClient.get(each[0])?.push(each) === undefined) byClient.set(each[0], [each])
    encoding.writeVarUint(encoder, byClient.size)
    for (const [id, own] of byClient) {
      encoding.writeVarUint(encoder, id)
      encoding.writeVarUint(encoder, own.length)
      for (const [, start, length] of own) {
        encoding.writeVarUint(encoder, start)
        encoding.writeVarUint(encoder, length)
      }
    }
  })

const writeStruct = (encoder: encoding.Encoder, struct: ForgedStruct): void => {
  if ('text' in struct) {
    encoding.writeUint8(encoder, 4)
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarString(encoder, 'text')
    encoding.writeVarString(encoder, struct.text)
    return
  }
  if ('behind' in struct) {
    encoding.writeUint8(encoder, 129)
    for (const number of [...struct.behind, 1]) encoding.writeVarUint(encoder, number)
    return
  }
  encoding.writeUint8(encoder, 'gc' in struct ? 0 : 10)
  encoding.writeVarUint(encoder, 'gc' in struct ? struct.gc : struct.skip)
}

/** One entry of an awareness update. */
export interface ForgedPresence {
  readonly id: number
  readonly clock: number
  /** JSON, or whatever stands in its place. */
  readonly json: string
}

/** An awareness update by hand. */
export const forgePresence = (...entries: readonly ForgedPresence[]): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, entries.length)
    for (const { id, clock, json } of entries) {
      encoding.writeVarUint(encoder, id)
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarString(encoder, json)
    }
  })
