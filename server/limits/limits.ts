const KIB = 1024
const MIB = 1024 * KIB

/**
 * What clients may ask of a server. The defaults suit a small public site; none of them gets in the way of somebody
 * who uploads a long offline session as fast as the wire takes it. README has them as a table.
 *
 * Who sends too fast is read from more slowly and loses nothing; only what can't be slowed down is refused, with a
 * code (PROTOCOL C1).
 *
 * @example
 *   createServer({ limits: { maxConnectionsPerUser: 20 } })
 */
export interface Limits {
  /** Connections of the whole server; the next is told 1013. Default 10,000. */
  readonly maxConnections: number
  /**
   * Connections of one address (IPv6: one /64 network); the next is told 4529. This machine's own addresses aren't
   * limited. Default 256: an office behind one address.
   */
  readonly maxConnectionsPerAddress: number
  /** Connections of one named user; the next is told 4529. Default 500. */
  readonly maxConnectionsPerUser: number
  /** Connections to one document; the next is told 1013. Default 5,000. */
  readonly maxConnectionsPerDocument: number
  /**
   * Documents on one shared connection (PROTOCOL X12); the next is told 4529, our client opens a socket for it.
   * Default 128.
   */
  readonly maxChannelsPerConnection: number
  /**
   * Documents on all shared connections of one address; the next is told 4529. They take less than connections and
   * aren't counted as such here, but as such by document, by user and per minute. Default 1,024.
   */
  readonly maxChannelsPerAddress: number
  /** Documents on shared connections, of the whole server; the next is told 1013. Default 40,000. */
  readonly maxChannels: number
  /**
   * Connections that one address may open per minute, and at once (a connection is one document); 4529. Default 600.
   */
  readonly opensPerMinute: number
  /**
   * Plain HTTP requests of one address that are answered per minute, and at once; more get status 429. Default 1,200.
   */
  readonly requestsPerMinute: number
  /** Time for a handshake to arrive, from its connection's first moment, ms. Default 10,000. */
  readonly handshakeTimeoutMs: number
  /**
   * What a client may send before it is let in, bytes: a token and its first greetings; and the longest token that is
   * looked at later; 4401. Default 64 KiB.
   */
  readonly unauthorizedBytes: number
  /** Messages of one connection per second, in the long run; beyond, it is read from more slowly. Default 10,000. */
  readonly messagesPerSecond: number
  /** Messages of one connection at once. Default 500,000. */
  readonly messagesBurst: number
  /** Bytes of one connection per second, in the long run; beyond, it is read from more slowly. Default 8 MiB. */
  readonly bytesPerSecond: number
  /** Bytes of one connection at once. Default 128 MiB. */
  readonly bytesBurst: number
  /**
   * Questions (sync step 1, query awareness) of one connection that are answered per minute, and at once; of more,
   * only the latest is, later. Default 120.
   */
  readonly questionsPerMinute: number
  /** Tokens that one connection may show per minute, and at once; 4529. Default 20. */
  readonly tokensPerMinute: number
  /**
   * Size that a document may reach, bytes; more is refused with 4413. It stays readable, and things can still be
   * deleted from it. Default 64 MiB.
   */
  readonly maxDocumentBytes: number
  /** Presence messages of one connection per second; beyond, it is read from more slowly. Default 500. */
  readonly presencePerSecond: number
  /** Presence ids of one connection: a browser's tabs repeat each other's. Default 64. */
  readonly presenceIds: number
  /** One presence state, bytes of JSON. Default 16 KiB. */
  readonly presenceStateBytes: number
  /** All presence states of one connection, bytes. Default 64 KiB. */
  readonly presenceBytes: number
  /** All presence states of a document, bytes: every joiner gets them. Default 2 MiB. */
  readonly presenceDocumentBytes: number
  /** Signals of one connection per second (PROTOCOL X10), and twice as many at once; more are refused. Default 50. */
  readonly signalsPerSecond: number
  /** One signal, bytes. Default 16 KiB. */
  readonly signalBytes: number
  /**
   * How long a connection's edits under another connection's client id wait for that one to bring them itself, ms;
   * then it is closed with 1013 (PROTOCOL S7). Default 5,000.
   */
  readonly foreignEditsMs: number
}

/** What holds where nothing else is said; see {@link Limits}. */
export const DEFAULT_LIMITS: Limits = {
  maxConnections: 10_000,
  maxConnectionsPerAddress: 256,
  maxConnectionsPerUser: 500,
  maxConnectionsPerDocument: 5_000,
  maxChannelsPerConnection: 128,
  maxChannelsPerAddress: 1_024,
  maxChannels: 40_000,
  opensPerMinute: 600,
  requestsPerMinute: 1_200,
  handshakeTimeoutMs: 10_000,
  unauthorizedBytes: 64 * KIB,
  messagesPerSecond: 10_000,
  messagesBurst: 500_000,
  bytesPerSecond: 8 * MIB,
  bytesBurst: 128 * MIB,
  questionsPerMinute: 120,
  tokensPerMinute: 20,
  maxDocumentBytes: 64 * MIB,
  presencePerSecond: 500,
  presenceIds: 64,
  presenceStateBytes: 16 * KIB,
  presenceBytes: 64 * KIB,
  presenceDocumentBytes: 2 * MIB,
  signalsPerSecond: 50,
  signalBytes: 16 * KIB,
  foreignEditsMs: 5_000,
}
