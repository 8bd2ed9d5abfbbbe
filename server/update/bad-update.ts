import { InkwireError } from '../../shared/errors.js'

/** Why a scan refused an update; stable, for logs and tests. The message says it in words. */
export type BadUpdateReason =
  /** The bytes end in the middle of something. */
  | 'truncated'
  /** Bytes are left over after the delete set. */
  | 'trailing'
  /** It is a Yjs update, but in the v2 encoding. */
  | 'v2'
  /** A struct, content, type or value of a kind that Yjs 13 does not know. */
  | 'kind'
  /** A struct or range of length 0, or a client without structs. */
  | 'empty'
  /** A number past 2^53 − 1, as it stands or as a clock plus lengths. */
  | 'overflow'
  /** A claimed count that the bytes left could not hold. */
  | 'count'
  /** More structs or delete ranges than the limits allow. */
  | 'limit'
  /** A value nested deeper than the limits allow. */
  | 'depth'
  | 'utf8'
  | 'json'
  /** One client listed twice: Yjs would drop the first list without a word. */
  | 'client-twice'
  /** Delete ranges out of order or overlapping: Yjs would store them garbled while they wait for their structs. */
  | 'delete-order'
  /** A struct that refers to itself or to a later one of its own author: Yjs would throw. */
  | 'reference'
  /** Clocks that nobody can have reached by editing (PROTOCOL S8). */
  | 'implausible'

/** An update that no Yjs client would have sent, or that would harm the ones it is passed on to (PROTOCOL S1). */
export class BadUpdateError extends InkwireError {
  constructor(
    readonly reason: BadUpdateReason,
    message: string,
  ) {
    super('INKWIRE_BAD_UPDATE', message)
  }
}
