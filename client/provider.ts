import { ObservableV2 } from 'lib0/observable'
import { Awareness } from 'y-protocols/awareness'
import type { Doc } from 'yjs'
import { encodeAwareness } from '../shared/codec.js'
import { Code, isPermanent } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import type { Access } from '../shared/messages.js'
import { documentUrl } from './address.js'
import { isSaved, isSynced } from './conditions.js'
import { Connection } from './connection.js'
import { CrossTab, openChannel } from './cross-tab.js'
import { createDeviceSlot, type DeviceSlot } from './device.js'
import { isWanted, type State, statusOf } from './machine.js'
import { type DeviceState, deviceKey, type Loaded } from './offline/contract.js'
import type { InkwireEvents, InkwireOptions, WebSocketLike } from './options.js'
import { Outbox } from './outbox.js'
import { leaveWarning } from './page.js'
import { announce, farewell, forgetOthers, ownPresence } from './presence.js'
import { Replacement } from './replacement.js'
import { Ledger, type SaveState } from './saves.js'
import { Sync } from './sync.js'
import { Waiters } from './waiters.js'

/**
 * Keeps a Yjs document in sync with a server, and knows where each edit is.
 *
 * It has the shape of y-websocket's `WebsocketProvider` and works with any y-websocket server. An Inkwire
 * server also tells it what is safely stored (`saveState`), why something was refused (`rejected`), and
 * that a document was deleted or rolled back (`closed` with code 4409).
 *
 * @example
 *   const doc = new Y.Doc()
 *   const provider = new InkwireProvider('ws://localhost:1234', 'notes/today', doc)
 *   provider.on('save', ({ status, pending }) => console.log(status, pending))
 *   doc.getText('body').insert(0, 'Hello')
 *   await provider.whenSaved() // on the server's disk
 */
export class InkwireProvider extends ObservableV2<InkwireEvents> {
  readonly serverUrl: string
  readonly roomname: string
  readonly doc: Doc
  readonly awareness: Awareness
  /** Query parameters for the next connection. */
  params: { readonly [key: string]: string }
  /** Subprotocols that the next connection offers before `inkwire.1`. */
  protocols: readonly string[]
  /** @see InkwireOptions.maxBackoffTime */
  maxBackoffTime: number
  /** @see InkwireOptions.shouldReconnect */
  shouldReconnect: NonNullable<InkwireOptions['shouldReconnect']>

  #saveState: SaveState
  #tabs: CrossTab | null = null
  /** Whether `connect` was called while the device's copy is being read. */
  #connectLater = false
  #destroyed = false
  /** Where its tabs meet. */
  #channelName: string
  readonly #options: InkwireOptions
  readonly #resyncTimer: ReturnType<typeof setInterval> | undefined
  readonly #warn: ReturnType<typeof leaveWarning> | undefined
  readonly #ledger = new Ledger()
  readonly #waiters = new Waiters()
  readonly #outbox = new Outbox(this, () => this.#settle())
  readonly #connection: Connection
  readonly #sync: Sync
  readonly #device: DeviceSlot
  readonly #replacement: Replacement

  /**
   * @param serverUrl `ws://…` or `wss://…`, with the server's path prefix.
   * @param roomname the document's name: any Unicode, slashes included, but not `.` or `..`.
   * @throws InkwireError INKWIRE_BAD_NAME for a name that no URL can carry. The WebSocket class throws its own
   *   error (a SyntaxError, as a rule) for a bad URL.
   */
  constructor(serverUrl: string, roomname: string, doc: Doc, options: InkwireOptions = {}) {
    super()
    const { connect = true, resyncInterval = 0 } = options
    this.serverUrl = serverUrl.replace(/\/+$/, '')
    this.roomname = roomname
    this.doc = doc
    this.params = options.params ?? {}
    this.protocols = options.protocols ?? []
    this.maxBackoffTime = options.maxBackoffTime ?? 2_500
    this.shouldReconnect = options.shouldReconnect ?? (({ code }) => !isPermanent(code))
    this.#options = options
    // Throws for a name that can't be one, before anything needs undoing.
    void this.url
    this.awareness = options.awareness ?? new Awareness(doc)
    this.#connection = new Connection(this, options, this.#outbox, {
      opened: (protocol) => {
        this.#sync.begin(protocol)
        announce(this.awareness)
      },
      message: (bytes) => this.#sync.received(bytes),
      probe: () => this.#sync.probe(),
      closed: (opened) => {
        this.#sync.end()
        if (opened) this.#outbox.add(() => this.#forgetOthers())
      },
      wanted: (wanted) => this.#setTabs(wanted),
      hide: () => this.#publish(farewell(this.awareness)),
      show: () => announce(this.awareness),
    })
    this.#sync = new Sync(this, this.#ledger, this.#connection, this.#outbox, options)
    const key = deviceKey(this.serverUrl, roomname)
    this.#device = createDeviceSlot(
      {
        provider: this,
        ledger: this.#ledger,
        key,
        loaded: (copy) => this.#loaded(copy),
      },
      this.#outbox,
    )
    this.#replacement = new Replacement(this, {
      options,
      key,
      succeed: (doc, options) => {
        const next = new InkwireProvider(this.serverUrl, roomname, doc, options)
        this.#replacement.active = true
        next.#replacement.since = Date.now()
        // Tabs that still have what was given up must not bring it back.
        next.#channelName = `${this.#channelName}#`
        return next
      },
      keep: (next) => next.#destroyed || next.#device.open(),
    })
    this.#channelName = `inkwire:${this.serverUrl}/${roomname}`
    // What the document holds already may be nowhere else.
    if (doc.store.clients.size > 0) this.#ledger.hold(Date.now())
    this.#saveState = this.#ledger.state()
    doc.on('update', this.#onUpdate)
    doc.on('destroy', this.#onDocDestroyed)
    this.awareness.on('update', this.#onAwareness)
    if (options.recover === 'reset') {
      this.on(
        'rejected',
        ({ update, retried, ...why }) => update && !retried && this.#replacement.recover(why),
      )
      this.on('closed', (why) => why.code === Code.generationChanged && this.#replacement.recover(why))
    }
    if (resyncInterval > 0 && resyncInterval < 2e9)
      this.#resyncTimer = setInterval(() => this.#sync.ask(), resyncInterval)
    if (options.warnBeforeLeaving) this.#warn = leaveWarning()
    // The connection waits until the content is there: it says of which generation it is (PROTOCOL X2).
    if (options.offline) this.#device.open()
    if (connect && this.#connection.webSocket) this.connect()
  }

  /** The document's URL, with the present `params`. */
  get url(): string {
    return documentUrl(this.serverUrl, this.roomname, this.params)
  }

  /** The present socket, or null. */
  get ws(): WebSocketLike | null {
    return this.#connection.socket?.raw ?? null
  }

  /** Whether a connection is wanted: from `connect` to `disconnect`, or until the server ends it for good. */
  get shouldConnect(): boolean {
    return this.#connectLater || isWanted(this.#connection.state)
  }

  get wsconnected(): boolean {
    return statusOf(this.#connection.state) === 'connected'
  }

  get wsconnecting(): boolean {
    return statusOf(this.#connection.state) === 'connecting'
  }

  /** Whether this talks to other tabs of the browser. */
  get bcconnected(): boolean {
    return this.#tabs !== null
  }

  /** The state of the connection, finer than y-websocket's words. The same object until it changes. */
  get connection(): State {
    return this.#connection.state
  }

  /** Whether all that the server holds is here. */
  get synced(): boolean {
    return this.#connection.state.name === 'live'
  }

  /** Where this device's edits are. The same object until something changes (event `save`). */
  get saveState(): SaveState {
    return this.#saveState
  }

  /** Where the device's copy is. The same object until something changes (event `device`). */
  get device(): DeviceState {
    return this.#device.state
  }

  /**
   * A promise for the moment when the device's copy is in the document (option `offline`), or it is known that
   * there will be none. It rejects only with InkwireError INKWIRE_DESTROYED.
   *
   * @example
   *   await provider.whenLoaded // shows what was there the last time, also without a network
   */
  get whenLoaded(): Promise<void> {
    return this.#until(() => this.#device.state.status !== 'loading')
  }

  /**
   * What the server last said that this client may do, with the option `offline` perhaps to an earlier page; null
   * before that, and with other servers.
   */
  get access(): Access | null {
    return this.#sync.access
  }

  /** Which history the document's content is of, 32 hex digits; null while that isn't settled. */
  get generation(): string | null {
    return this.#sync.generation
  }

  /**
   * A promise for the next moment when all that the server holds is here, which may be now.
   *
   * @throws InkwireError INKWIRE_STOPPED when the server refused for good, with `{ code, reason }` as its cause (event
   *   `closed`); INKWIRE_DESTROYED.
   * @example
   *   await provider.whenSynced
   */
  get whenSynced(): Promise<void> {
    return this.#until(() => isSynced(this.#connection.state))
  }

  /**
   * Resolves when all edits made until now are durable on the server.
   *
   * @param options `timeout`: rejects with INKWIRE_TIMEOUT after so many ms. Default: waits.
   * @throws InkwireError INKWIRE_TIMEOUT; INKWIRE_DESTROYED; INKWIRE_NOT_SAVED when the server refused an
   *   edit, ended the connection for good, or doesn't say what it saves.
   * @example
   *   await provider.whenSaved({ timeout: 5_000 })
   */
  whenSaved({ timeout }: { readonly timeout?: number } = {}): Promise<void> {
    const edits = this.#ledger.total
    return this.#until(() => isSaved(this.#ledger, edits, this.#connection.state), timeout)
  }

  /**
   * Connects, and keeps connecting; while it waits for the next attempt, it makes it now.
   *
   * @throws InkwireError INKWIRE_BAD_OPTION when there is no WebSocket class; what that class throws for a bad URL.
   */
  connect(): void {
    // Never two sockets: while a new document is on its way, that one has it.
    if (this.#destroyed || this.#replacement.active) return
    if (this.#device.state.status === 'loading') this.#connectLater = true
    else this.#connection.step({ type: 'connect' })
  }

  /**
   * Says something to all other members of the document, beside it: nothing of it is kept, and who is away or slow
   * misses it. They hear it as the event `message`. Between Inkwire clients, through an Inkwire server.
   *
   * @param data anything that JSON can hold, 16 KiB of it unless the server says otherwise; at most 50 a second.
   *   What the server doesn't pass on is the event `rejected`, without an update.
   * @returns whether it went out; false without a connection to an Inkwire server.
   * @example
   *   provider.send({ wave: true })
   *   provider.on('message', ({ data, user }) => …)
   */
  send(data: unknown): boolean {
    return this.#sync.signal(data)
  }

  /** Disconnects from the server and from other tabs until `connect`. Edits go on, on this device. */
  disconnect(): void {
    this.#connectLater = false
    this.#connection.step({ type: 'disconnect' })
  }

  /**
   * Gives up what the server doesn't take: a Y.Doc forgets nothing, so a new one is made and filled from the server,
   * and handed over with the event `reset`, which says more. Until then this document stays as it is, without a
   * connection; afterwards this provider is destroyed. With the option `recover: 'reset'` it happens by itself.
   *
   * @returns the provider that takes this one's place, synced.
   * @throws InkwireError INKWIRE_STOPPED when the server refuses that one, too (event `closed`); INKWIRE_DESTROYED.
   * @example
   *   discard.onclick = () => provider.reset()
   */
  async reset(): Promise<InkwireProvider> {
    if (this.#destroyed) throw new InkwireError('INKWIRE_DESTROYED', 'destroyed')
    return this.#replacement.start({ code: 0, reason: 'reset' })
  }

  /** Disconnects for good and lets go of the document. Ends the awareness, too, unless it was passed in. */
  override destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#device.close()
    this.#replacement.end.abort()
    if (!this.#options.awareness) this.awareness.destroy()
    this.disconnect()
    this.awareness.off('update', this.#onAwareness)
    clearInterval(this.#resyncTimer)
    this.doc.off('update', this.#onUpdate)
    this.doc.off('destroy', this.#onDocDestroyed)
    this.#outbox.flush()
    super.destroy()
  }

  #loaded(copy: Loaded | null): void {
    if (copy?.unsaved) this.#ledger.adopt(copy.unsaved)
    if (copy?.generation) this.#sync.bind(copy.generation)
    if (copy?.access) this.#sync.permit(copy.access)
    this.#outbox.add(() => {
      if (!this.#connectLater) return
      this.#connectLater = false
      this.#connection.step({ type: 'connect' })
    })
    this.#outbox.flush()
  }

  readonly #onDocDestroyed = (): void => this.destroy()

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    const ours = origin === this
    // What came from a tab is sent as well: that tab may be offline, or gone before it could.
    if (ours && !this.#tabs?.applying) return
    this.#sync.edited(update)
    if (!ours) this.#tabs?.update(update)
    this.#outbox.flush()
  }

  readonly #onAwareness = (changed: { readonly [how: string]: readonly number[] }): void => {
    const ids = Object.values(changed).flat()
    if (ids.includes(this.awareness.clientID)) this.#publish(ownPresence(this.awareness))
  }

  /** Sends presence to everybody. */
  #publish(update: Uint8Array): void {
    this.#connection.send(encodeAwareness(update))
    this.#tabs?.presence(update)
  }

  #until(check: () => boolean | InkwireError, timeoutMs?: number): Promise<void> {
    return this.#waiters.until(
      () => (this.#destroyed ? new InkwireError('INKWIRE_DESTROYED', 'destroyed') : check()),
      timeoutMs,
    )
  }

  /** The connection is gone, and with it who was known from it. */
  #forgetOthers(): void {
    forgetOthers(this.awareness, this)
    // Other tabs are still there.
    this.#tabs?.askPresence()
  }

  /** Other tabs matter as long as a connection is wanted. */
  #setTabs(wanted: boolean): void {
    this.#tabs?.close()
    this.#tabs = null
    if (!wanted || this.#options.disableBc) return
    const channel = openChannel(this.#channelName)
    if (!channel) return
    this.#tabs = new CrossTab(channel, this, (generation) => {
      if (generation) this.#sync.bind(generation)
      this.#outbox.flush()
    })
    this.#outbox.add(() => announce(this.awareness))
  }

  /** A step of ours is complete. */
  #settle(): void {
    const next = this.#ledger.state()
    const keys = Object.keys(next) as (keyof SaveState)[]
    if (keys.some((key) => next[key] !== this.#saveState[key])) {
      this.#saveState = next
      this.#outbox.tell('save', next)
    }
    const { pending, supported } = next
    const unsafe =
      pending > 0 && this.#device.state.status !== 'stored' && !(this.synced && supported === false)
    this.#warn?.(unsafe && !this.#destroyed)
    this.#device.look()
    this.#waiters.look()
  }
}
