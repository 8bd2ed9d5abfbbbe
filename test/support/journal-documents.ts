import type { DocumentLog, Entry, Journal, Snapshot, StoredDocument } from '../../server/journal/journal.js'

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** The `n`th update of a document, made at a time of its own. */
export const entry = (n: number, author = 'ada'): Entry => ({
  update: bytes(n & 255, n >> 8, 7),
  time: 1_700_000_000_000 + n,
  author,
})

/** A log, and a way to wait until something is durable. */
export const openLog = async (journal: Journal, name: string) => {
  const acks: number[] = []
  const waiting: { seq: number; resolve: () => void }[] = []
  const log = await journal.open(name, (seq) => {
    acks.push(seq)
    for (const waiter of waiting.splice(0)) {
      if (waiter.seq <= seq) waiter.resolve()
      else waiting.push(waiter)
    }
  })
  const durable = (seq: number): Promise<void> =>
    (acks.at(-1) ?? log.document.seq) >= seq
      ? Promise.resolve()
      : new Promise((resolve) => waiting.push({ seq, resolve }))
  return { log, acks, durable }
}

/** Writes a document of `count` updates and lets go of it. */
export const write = async (journal: Journal, name: string, count: number): Promise<DocumentLog> => {
  const { log, durable } = await openLog(journal, name)
  for (let i = 1; i <= count; i++) log.append(entry(log.document.seq + i))
  await durable(log.document.seq + count)
  log.release()
  return log
}

/** The names of all documents, in the journal's order. */
export const names = async (journal: Journal): Promise<string[]> => {
  const all: string[] = []
  for await (const { name } of journal.list()) all.push(name)
  return all
}

/** The numbers of the updates behind the snapshot. */
export const seqs = (document: StoredDocument | null): number[] =>
  (document?.tail ?? []).map(({ seq }) => seq)

/** Buffers and Uint8Arrays of the same bytes are the same to the contract. */
export const plain = (document: StoredDocument | null) =>
  document && {
    ...document,
    snapshot: document.snapshot && { ...document.snapshot, update: [...document.snapshot.update] },
    tail: document.tail.map((stored) => ({ ...stored, update: [...stored.update] })),
  }

/** A snapshot's number and then its bytes. */
export const plainSnapshot = (snapshot: Snapshot | null): number[] =>
  snapshot ? [snapshot.seq, ...snapshot.update] : []
