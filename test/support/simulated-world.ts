import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { InkwireProvider, type WebSocketClass } from '../../client/index.js'
import { shared } from '../../client/shared/index.js'
import type { MemoryState } from '../../server/journal/memory.js'
import { decodeMessage } from '../../shared/codec.js'
import { alike, covers } from './documents.js'
import { below, pick } from './random-edits.js'
import { RawReplica } from './raw-replica.js'
import { Link, SimulatedSocket } from './simulated-link.js'
import { newcomerTo } from './simulated-newcomer.js'
import { Promises } from './simulated-promises.js'
import { SimulatedServer } from './simulated-server.js'
import type { VirtualTime } from './virtual-time.js'

/** `shared`: ours, and all of them on one connection. */
export type ReplicaKind = 'stock' | 'ours' | 'shared' | 'raw'

/** A client, and somebody who edits in it. */
export interface Replica {
  readonly kind: ReplicaKind
  readonly doc: Y.Doc
  readonly undo: Y.UndoManager
  readonly provider: InkwireProvider | WebsocketProvider | RawReplica
}

/** What a simulation is like. */
export interface WorldOptions {
  /** The server's memory for what it could read again, bytes. */
  readonly memoryBudget: number
  /** What part of the connections is much slower than the others. */
  readonly slowLinks: number
}

/** A connection, and what was on the disk when it was made. */
interface Joining {
  readonly replica: Replica
  readonly durable: Y.Doc
}

// y-websocket's provider listens to the end of the process, and tests have many of them.
process.setMaxListeners(0)

const DOCUMENT = 'simulated'
const SERVER = 'ws://simulated'

/** Server, disk, network and clients of one simulation, and all that can happen to them. */
export class World {
  readonly disk: MemoryState = new Map()
  readonly replicas: Replica[] = []
  /** What must never happen, in words. */
  readonly faults: string[] = []
  readonly #time: VirtualTime
  readonly #random: () => number
  readonly #links = new Set<Link>()
  readonly #owners = new WeakMap<Link, Replica>()
  /** Connections whose client isn't synced yet. */
  readonly #joining = new Map<Link, Joining>()
  readonly #memoryBudget: number
  /** What part of the connections is slow, and which are. */
  readonly #slowLinks: number
  readonly #slow = new WeakSet<Link>()
  readonly #promises = new Promises()
  #server: SimulatedServer | null = null
  #stored: { readonly updates: readonly Uint8Array[]; readonly doc: Y.Doc } = {
    updates: [],
    doc: new Y.Doc(),
  }
  /** What those make their sockets of who share one. */
  readonly #sharedSockets = this.#socketsOf(null)

  constructor(random: () => number, time: VirtualTime, { memoryBudget, slowLinks }: WorldOptions) {
    this.#random = random
    this.#time = time
    this.#memoryBudget = memoryBudget
    this.#slowLinks = slowLinks
  }

  get running(): boolean {
    return this.#server !== null
  }

  /** Documents in the server's memory. */
  get rooms(): number {
    return this.#server?.rooms ?? 0
  }

  /** How often a snapshot was read again, in all the server's lives. */
  rereads = 0

  /** Whether all replicas are there and hold the same. */
  get converged(): boolean {
    const [first] = this.replicas
    return this.replicas.every(({ doc, provider }) => provider.synced && first && alike(doc, first.doc))
  }

  open(kind: ReplicaKind): Replica {
    const doc = new Y.Doc({ gc: this.#random() < 0.7 })
    doc.clientID = below(this.#random, 2 ** 32)
    const undo = new Y.UndoManager([doc.getText('text'), doc.getMap('map')], { captureTimeout: 0 })
    const provider = this.#provider(kind, doc)
    const replica = { kind, doc, undo, provider }
    this.replicas.push(replica)
    this.#promises.watch(replica)
    provider.connect()
    return replica
  }

  start(): void {
    this.#server ??= new SimulatedServer({
      disk: this.disk,
      time: this.#time,
      random: this.#random,
      memoryBudget: this.#memoryBudget,
    })
  }

  /** As kill -9 does it. Some of what was sent still arrives. */
  async kill(): Promise<void> {
    this.#server?.kill(() => below(this.#random, 4))
    this.#gone()
    await this.checkPromises()
  }

  /** As SIGTERM does it. */
  async stop(): Promise<void> {
    let stopped = false
    const stopping = this.#server?.stop().finally(() => {
      stopped = true
    })
    while (stopping && !stopped) await this.#time.advance(1)
    await stopping
    this.#gone()
    await this.checkPromises()
  }

  breakSomeLink(): void {
    const links = this.#living()
    if (links.length > 0) pick(this.#random, links).break(below(this.#random, 3))
  }

  deliverSomeToServer(): void {
    const link = this.#anyOf((each) => each.canReachServer)
    for (let i = this.#messages(link); i > 0 && link?.canReachServer; i--) link.deliverToServer()
  }

  deliverSomeToClient(): void {
    const link = this.#anyOf((each) => each.toClient.length > 0)
    for (let i = this.#messages(link); i > 0 && link && link.toClient.length > 0; i--) this.#toClient(link)
  }

  /** A commit or a compaction is done. */
  completeSomething(): void {
    const pending = this.#server?.pending ?? []
    pending.splice(below(this.#random, pending.length), 1)[0]?.()
  }

  /** Everything that is under way arrives, and time passes. */
  async rush(): Promise<void> {
    for (const link of this.#living()) {
      while (link.canReachServer) link.deliverToServer()
      while (link.toClient.length > 0) this.#toClient(link)
    }
    for (const complete of this.#server?.pending.splice(0) ?? []) complete()
    await this.#time.advance(20)
  }

  /** What is on the disk, as a document to look at: the same one as long as nothing changes there. */
  stored(): Y.Doc {
    const stored = this.disk.get(DOCUMENT)
    const updates = (stored?.tail ?? []).map(({ update }) => update)
    if (stored?.snapshot) updates.unshift(stored.snapshot.update)
    const last = this.#stored
    if (last.updates.length === updates.length && last.updates.every((update, i) => update === updates[i]))
      return last.doc
    const doc = new Y.Doc({ guid: 'stored' })
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update)
    })
    this.#stored = { updates, doc }
    return doc
  }

  /** Whoever comes after the server has died now sees all that it ever called safe. */
  async checkPromises(): Promise<void> {
    const newcomer = await newcomerTo(this.disk, DOCUMENT)
    this.faults.push(...this.#promises.broken(newcomer))
    if (!covers(newcomer, this.stored())) this.faults.push('a newcomer lacks something that is on the disk')
    newcomer.destroy()
  }

  /** Nobody may believe its edits saved while they aren't. */
  checkSaved(): void {
    const { store } = this.stored()
    for (const { doc, provider } of this.replicas) {
      if (!(provider instanceof InkwireProvider) || provider.saveState.status !== 'saved') continue
      if (Y.getState(store, doc.clientID) >= Y.getState(doc.store, doc.clientID)) continue
      this.faults.push('edits that are called saved are not on the disk')
    }
  }

  destroy(): void {
    for (const { doc, undo, provider } of this.replicas) {
      undo.destroy()
      provider.destroy()
      doc.destroy()
    }
  }

  #gone(): void {
    this.faults.push(...(this.#server?.failures.map(String) ?? []))
    this.rereads += this.#server?.counters.recalls ?? 0
    this.#server = null
    this.checkSaved()
  }

  #provider(kind: ReplicaKind, doc: Y.Doc): Replica['provider'] {
    const WebSocketPolyfill = kind === 'shared' ? this.#sharedSockets : this.#socketsOf(doc)
    const options = { connect: false, disableBc: true, maxBackoffTime: 50 }
    switch (kind) {
      case 'ours':
        return new InkwireProvider(SERVER, DOCUMENT, doc, { ...options, WebSocketPolyfill })
      case 'shared':
        return new InkwireProvider(SERVER, DOCUMENT, doc, {
          ...options,
          WebSocketPolyfill,
          connection: shared,
        })
      case 'stock':
        return new WebsocketProvider(SERVER, DOCUMENT, doc, {
          ...options,
          // As much of a WebSocket as the provider uses.
          WebSocketPolyfill: WebSocketPolyfill as unknown as typeof globalThis.WebSocket,
        })
      case 'raw':
        return new RawReplica({
          url: `${SERVER}/${DOCUMENT}`,
          doc,
          random: this.#random,
          extended: this.#random() < 0.5,
          WebSocket: WebSocketPolyfill,
          onSaved: (update) => this.#promises.acknowledged(doc.clientID, update),
        })
      default:
        return kind satisfies never
    }
  }

  /** The WebSocket class of one replica, or of all that share one. */
  #socketsOf(doc: Y.Doc | null): WebSocketClass {
    const dial = (protocols: readonly string[]): Link => this.#dial(doc, protocols)
    return class extends SimulatedSocket {
      constructor(_url: string, protocols: string[] = []) {
        super(dial(protocols))
      }
    }
  }

  #dial(doc: Y.Doc | null, protocols: readonly string[]): Link {
    // Some sockets back up soon.
    const link = new Link(protocols, this.#random() < 0.5 ? 300 : 100_000)
    this.#links.add(link)
    if (this.#slowLinks > 0 && this.#random() < this.#slowLinks) this.#slow.add(link)
    const replica = this.replicas.find((each) => each.doc === doc)
    if (replica) {
      this.#owners.set(link, replica)
      this.#joining.set(link, { replica, durable: this.stored() })
    }
    if (this.#server) this.#server.accept(link, DOCUMENT)
    else link.refuse()
    return link
  }

  #toClient(link: Link): void {
    this.#checkEcho(link)
    link.deliverToClient()
    const joining = this.#joining.get(link)
    if (!joining?.replica.provider.synced || !link.isOpen) return
    this.#joining.delete(link)
    if (covers(joining.replica.doc, joining.durable)) return
    this.faults.push(
      `${joining.replica.kind} is synced, and lacks something that was on the disk before it came`,
    )
  }

  /** What comes back to a client without extensions is on the disk: newer ones take it as a confirmation. */
  #checkEcho(link: Link): void {
    const replica = this.#owners.get(link)
    const item = link.toClient[0]
    if (replica?.kind !== 'stock' || item?.kind !== 'data') return
    const message = decodeMessage(item.bytes)
    if (message.type !== 'update') return
    if (link.isOpen) this.#promises.heard(replica, message.update)
    const { clientID } = replica.doc
    const own = Y.decodeUpdate(message.update).structs.filter(({ id }) => id.client === clientID)
    if (own.length === 0) return
    const stored = Y.getState(this.stored().store, clientID)
    if (own.every(({ id, length }) => id.clock + length <= stored)) return
    this.faults.push('an edit came back to its author that is not on the disk')
  }

  #anyOf(can: (link: Link) => boolean): Link | undefined {
    const links = this.#living().filter(can)
    return links[below(this.#random, links.length)]
  }

  /** How many messages of a link are delivered together: of a slow one mostly none. */
  #messages(link: Link | undefined): number {
    if (link && this.#slow.has(link)) return this.#random() < 0.2 ? 1 : 0
    return 1 + below(this.#random, 6)
  }

  #living(): Link[] {
    for (const link of this.#links) {
      if (!link.over) continue
      this.#links.delete(link)
      this.#joining.delete(link)
    }
    return [...this.#links]
  }
}
