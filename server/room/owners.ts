import type { DocumentIndex } from '../update/document-index.js'
import type { Scan } from '../update/scan.js'

/** Edits under a client id that another connection owns: they have to wait for it (PROTOCOL S7). */
export interface Foreign<M> {
  readonly owner: M
  readonly client: number
  /** The clocks that the owner has to bring: start, end, start, end, … */
  readonly ranges: readonly number[]
}

/**
 * Which connection writes under which client id. An id belongs to the connection that introduced it as its own: by its
 * presence or, if nobody has shown it, by its first edit. Until that connection ends, nobody else may write under it.
 * Otherwise anybody could take the clocks that its next edits will have, and make those vanish.
 */
export class Owners<M> {
  readonly #owners = new Map<number, M>()
  /**
   * Ids that only edits speak for: a peer may have passed on another's. Whose presence has it is more likely the
   * author.
   */
  readonly #unconfirmed = new Set<number>()
  readonly #ids = new Map<M, number[]>()
  readonly #same: (one: M, other: M) => boolean
  readonly #mayWrite: (member: M) => boolean

  /**
   * @param same whether two connections are one person's: tabs pass on each other's edits.
   * @param mayWrite whether a connection may write: one that may not can't keep an id from one that may.
   */
  constructor(
    same: (one: M, other: M) => boolean = () => false,
    mayWrite: (member: M) => boolean = () => true,
  ) {
    this.#same = same
    this.#mayWrite = mayWrite
  }

  /** The connection that an id belongs to; undefined for nobody's. */
  of(client: number): M | undefined {
    return this.#owners.get(client)
  }

  /** The connection whose presence keeps an id from this one; undefined if none does. */
  shownBefore(member: M, client: number): M | undefined {
    const owner = this.#owners.get(client)
    if (owner === undefined || owner === member || this.#unconfirmed.has(client)) return undefined
    return this.#gives(owner, member) ? undefined : owner
  }

  /** A connection shows by its presence that an id is its own. Returns whether it is now. */
  claim(member: M, client: number): boolean {
    if (this.shownBefore(member, client) !== undefined) return false
    const owner = this.#owners.get(client)
    if (owner !== undefined) this.#forget(owner, client)
    this.#add(member, client)
    return true
  }

  /**
   * A connection wrote. If it has no id yet, what it wrote under is its own; one that has may as well be passing on
   * somebody else's edits, from another tab or from its own disk.
   */
  wrote(member: M, scan: Scan): void {
    if (this.#ids.has(member)) return
    const client = scan.blocks[0]?.client
    if (client === undefined || scan.blocks.some((block) => block.client !== client)) return
    const owner = this.#owners.get(client)
    if (owner !== undefined && !this.#gives(owner, member)) return
    if (owner !== undefined) this.#forget(owner, client)
    this.#add(member, client)
    this.#unconfirmed.add(client)
  }

  /**
   * Where an update writes under another connection's id, or deletes what that one has yet to write: all of it, so that
   * whoever waits has to be looked at again only once.
   */
  foreign(member: M, scan: Scan, index: DocumentIndex): readonly Foreign<M>[] {
    const foreign: Foreign<M>[] = []
    for (const { client, clock, end } of scan.blocks) {
      const owner = this.#other(member, client)
      if (owner && !index.holds(client, clock, end)) foreign.push({ owner, client, ranges: [clock, end] })
    }
    for (const { client, ranges } of scan.deletes) {
      const owner = this.#other(member, client)
      if (owner && !index.holdsAll(client, ranges)) foreign.push({ owner, client, ranges })
    }
    return foreign
  }

  /** Whether edits under an id still have to wait for this connection. */
  keeps(owner: M, client: number): boolean {
    return this.#owners.get(client) === owner && this.#mayWrite(owner)
  }

  /**
   * Structs of an update that are under no other connection's id. No deletions: whose edit one belongs to can't be
   * told, and of an edit that replaces something, the deletion mustn't come without the rest.
   */
  ownPart(member: M, scan: Scan): Scan {
    return { ...scan, blocks: scan.blocks.filter(({ client }) => !this.#other(member, client)), deletes: [] }
  }

  /** The connection has ended: its ids are nobody's. */
  leave(member: M): void {
    for (const client of this.#ids.get(member) ?? []) {
      this.#owners.delete(client)
      this.#unconfirmed.delete(client)
    }
    this.#ids.delete(member)
  }

  #add(member: M, client: number): void {
    this.#owners.set(client, member)
    const ids = this.#ids.get(member)
    if (ids) ids.push(client)
    else this.#ids.set(member, [client])
  }

  #forget(member: M, client: number): void {
    this.#unconfirmed.delete(client)
    const left = this.#ids.get(member)?.filter((id) => id !== client) ?? []
    if (left.length > 0) this.#ids.set(member, left)
    else this.#ids.delete(member)
  }

  #other(member: M, client: number): M | undefined {
    const owner = this.#owners.get(client)
    if (owner === undefined || owner === member || !this.#mayWrite(owner)) return undefined
    return this.#same(owner, member) ? undefined : owner
  }

  /** Whether one who reads only says that an id is its own, and the other may write under it. */
  #gives(owner: M, member: M): boolean {
    return !this.#mayWrite(owner) && this.#mayWrite(member)
  }
}
