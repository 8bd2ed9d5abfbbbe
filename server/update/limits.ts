/** What a scan tolerates; see {@link DEFAULT_LIMITS}. */
export interface ScanLimits {
  /** Structs in one update. */
  readonly maxStructs: number
  /** Ranges in one update's delete set. */
  readonly maxDeleteRanges: number
  /** Nesting of arrays and objects within one value. */
  readonly maxDepth: number
}

/**
 * - `maxStructs`: a struct of 2 bytes costs a `Y.Doc` some 100 bytes of heap, so bytes alone are no bound. The
 *   259,778 edits of the automerge-paper trace make some 20,000 structs.
 * - `maxDeleteRanges`: honest clients send their whole delete set each time they connect. That trace's has some
 *   4,000 ranges; a document with 50 times as many would send a megabyte at each connect.
 * - `maxDepth`: clients read and print values by recursion and throw at some thousand levels.
 */
export const DEFAULT_LIMITS: ScanLimits = { maxStructs: 1_000_000, maxDeleteRanges: 200_000, maxDepth: 256 }

/** For bytes that have been scanned before, from our own disk: only the recursion is bounded. */
export const TRUSTED_LIMITS: ScanLimits = {
  maxStructs: Number.POSITIVE_INFINITY,
  maxDeleteRanges: Number.POSITIVE_INFINITY,
  maxDepth: DEFAULT_LIMITS.maxDepth,
}
