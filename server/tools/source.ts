/** One document as it lies where it comes from. */
export interface SourceDocument {
  /** What it is to be called here. */
  readonly name: string
  /** Where it lies, for messages. */
  readonly origin: string
  /** @throws whatever reading throws: that document is not taken over, the others are. */
  read(): Promise<SourceContent>
}

/** What lies there. */
export interface SourceContent {
  /** Yjs updates (v1). */
  readonly updates: readonly Uint8Array[]
  /** A well-formed, encoded state vector of what `updates` should hold at least, if the source keeps one. */
  readonly expected?: Uint8Array
}

/**
 * The name under which clients find a document here, given the one that another server had it under: y-websocket's
 * server takes the path of the address as it comes, Inkwire takes it percent-decoded (PROTOCOL W2).
 *
 * @example decodeName('caf%C3%A9') // 'café'
 */
export const decodeName = (raw: string): string => {
  try {
    return decodeURIComponent(raw)
  } catch {
    // Then it came from no address.
    return raw
  }
}
