/** What a scan tolerates; see {@link DEFAULT_LIMITS}. */
export interface ScanLimits {
  /** Structs in one update. */
  readonly maxStructs: number
  /** Client ids in one update, or in one state vector. */
  readonly maxClients: number
  /** Skips: places where structs are missing in between. */
  readonly maxGaps: number
  /** Ranges in one update's delete set. */
  readonly maxDeleteRanges: number
  /** Nesting of arrays and objects within one value. */
  readonly maxDepth: number
  /** Whether the bytes were scanned before and JSON in them needn't be read again. Default: no. */
  readonly known?: boolean
}

/**
 * What a message may hold, by what it costs those that take it in rather than by its bytes:
 * - `maxStructs`: a struct of 2 bytes costs a `Y.Doc` 100 bytes of heap and more. The 259,778 edits of the
 *   automerge-paper trace end as 10,971 structs.
 * - `maxClients`: a client of 5 bytes costs an index some 150. A client id is one sitting of one person.
 * - `maxGaps`: each breaks ranges and pieces in two. A gap is an update that got lost, so honest ones are few.
 * - `maxDeleteRanges`: honest clients send their whole delete set each time they connect. That trace's has 2,639
 *   ranges; a document with 75 times as many would send most of a megabyte at each connect.
 * - `maxDepth`: clients read and print values by recursion and throw at some thousand levels.
 */
export const DEFAULT_LIMITS: ScanLimits = {
  maxStructs: 1_000_000,
  maxClients: 100_000,
  maxGaps: 1_000,
  maxDeleteRanges: 200_000,
  maxDepth: 256,
}

/** Up to this, what a document holds makes no difference to what a message may hold. */
const LITTLE = 1000

/**
 * What a message may hold, given what the document has already: a client that has all of it, and sends that when it
 * connects, must not be refused what it got from us.
 */
export const limitsFor = ({ clients, deleteRanges, gaps }: Held): ScanLimits =>
  clients < LITTLE && deleteRanges < LITTLE && gaps === 0
    ? DEFAULT_LIMITS
    : {
        ...DEFAULT_LIMITS,
        maxClients: DEFAULT_LIMITS.maxClients + clients,
        maxDeleteRanges: DEFAULT_LIMITS.maxDeleteRanges + deleteRanges,
        maxGaps: DEFAULT_LIMITS.maxGaps + gaps,
      }

/** What a document has. */
interface Held {
  readonly clients: number
  readonly deleteRanges: number
  readonly gaps: number
}

/** For bytes that have been scanned before, from our own disk: only the recursion is bounded. */
export const TRUSTED_LIMITS: ScanLimits = {
  maxStructs: Number.POSITIVE_INFINITY,
  maxClients: Number.POSITIVE_INFINITY,
  maxGaps: Number.POSITIVE_INFINITY,
  maxDeleteRanges: Number.POSITIVE_INFINITY,
  maxDepth: DEFAULT_LIMITS.maxDepth,
}

/** For bytes that were scanned before they came to be in memory or in the journal, or that were made of such. */
export const KNOWN_LIMITS: ScanLimits = { ...TRUSTED_LIMITS, known: true }
