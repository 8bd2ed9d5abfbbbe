/**
 * Plain numbers that the hot path adds to; `metrics.ts` reads them when somebody scrapes. A counter of a
 * metrics library costs a map lookup per call, these cost an addition.
 */
export class Counters {
  connections = 0
  connectionsTotal = 0
  /** Clients on documents: a connection is one, a shared one as many as it has channels. */
  members = 0
  rooms = 0
  updatesIn = 0
  updateBytesIn = 0
  /** Updates that held nothing new (a reconnecting client's): neither stored nor broadcast. */
  updatesWithoutNews = 0
  /** One update written to one socket. */
  updatesOut = 0
  /** Frames of all kinds with their headers, as they were handed to the system; no handshakes, no plain HTTP. */
  bytesOut = 0
  presenceIn = 0
  compactions = 0
  compactionsFailed = 0
  /** Bytes that documents hold of what could be read or made again. */
  heldBytes = 0
  /** How often a document let go of that to stay within the budget. */
  drops = 0
  /** Snapshots that were read again because somebody needed one that was let go of, and how often that failed. */
  recalls = 0
  recallsFailed = 0
  /** Members that were marked behind because their socket was backed up, ever. */
  membersBehindTotal = 0
  /** How often a connection that sent too fast was read from more slowly. */
  slowed = 0
  /** Closes and rejections by code. */
  readonly rejections = new Map<number, number>()

  reject(code: number): void {
    this.rejections.set(code, (this.rejections.get(code) ?? 0) + 1)
  }
}
