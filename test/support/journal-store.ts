import type { KeyRange } from '../../server/journal/keys.js'
import type { Pair, Store, Write } from '../../server/journal/store.js'

/** How a write is to fail: with nothing written, or with everything written and the success lost. */
export type Failure = 'nothing written' | 'all written'

/**
 * A store in memory that fails as LevelDB does: after a failed write, later ones seem to succeed, but are gone once
 * it is reopened. Give `disk` to another one to see what a restart would find.
 */
export class FakeStore implements Store {
  readonly disk: Map<string, Uint8Array>
  /** What the process sees: the disk, and what it only believes to be there. */
  #seen: Map<string, Uint8Array>
  #poisoned = false
  /** Failures to come, one per write. */
  readonly failures: (Failure | null)[] = []
  /** All writes fail with this, and reopening too if `reopenFails`. */
  broken: Error | null = null
  reopenFails = false
  readsFail: Error | null = null
  /** Happens once, right before the next scan. */
  beforeScan: (() => Promise<void>) | null = null
  /** Each write waits for what this gives. */
  gate: () => Promise<void> = () => Promise.resolve()
  /** Each compaction of a range waits for what this gives. */
  compacting: () => Promise<void> = () => Promise.resolve()
  /** What was written, batch by batch, failed ones included. */
  readonly batches: (readonly Write[])[] = []
  reopened: { repair: boolean }[] = []
  closed = false

  constructor(disk: Map<string, Uint8Array> = new Map()) {
    this.disk = disk
    this.#seen = new Map(disk)
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.readsFail) throw this.readsFail
    return this.#seen.get(hex(key))
  }

  async first(range: KeyRange): Promise<Pair | undefined> {
    return this.#range(range)[0]
  }

  async *pages(range: KeyRange): AsyncGenerator<readonly Pair[], void, void> {
    if (this.readsFail) throw this.readsFail
    const meanwhile = this.beforeScan
    this.beforeScan = null
    await meanwhile?.()
    const all = this.#range(range)
    for (let i = 0; i < all.length; i += 3) yield all.slice(i, i + 3)
  }

  async *keyPages(range: KeyRange): AsyncGenerator<readonly Uint8Array[], void, void> {
    for await (const page of this.pages(range)) yield page.map(([key]) => key)
  }

  async write(writes: readonly Write[]): Promise<void> {
    this.batches.push(writes)
    await this.gate()
    const failure = this.failures.shift() ?? null
    const failed = this.broken ?? (failure && new Error('IO error: No space left on device'))
    if (failed) {
      this.#poisoned = true
      if (failure === 'all written') apply(this.disk, writes)
      throw failed
    }
    apply(this.#seen, writes)
    if (!this.#poisoned) apply(this.disk, writes)
  }

  async flush(): Promise<void> {}

  async compactRange(): Promise<void> {
    await this.compacting()
  }

  async reopen(options = { repair: false }): Promise<void> {
    this.reopened.push(options)
    if (this.broken && this.reopenFails) throw this.broken
    this.#poisoned = false
    this.#seen = new Map(this.disk)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  #range({ start, end }: KeyRange): Pair[] {
    const from = hex(start)
    const to = hex(end)
    return [...this.#seen]
      .filter(([key]) => key >= from && key < to)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [Buffer.from(key, 'hex'), value])
  }
}

const apply = (to: Map<string, Uint8Array>, writes: readonly Write[]): void => {
  for (const { key, value } of writes) {
    if (value) to.set(hex(key), value)
    else to.delete(hex(key))
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
