import { ObservableV2 } from 'lib0/observable'
import { Awareness, applyAwarenessUpdate } from 'y-protocols/awareness'
import { Doc, encodeStateAsUpdate } from 'yjs'
import { encodeAwareness } from '../shared/codec.js'
import { Code, isPermanent } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import { type Access, SUBPROTOCOL } from '../shared/messages.js'
import { documentUrl } from './address.js'
import { CrossTab, openChannel } from './cross-tab.js'
import { LOADING, OFF, openDevice } from './device.js'
import { type Event, initial, isWanted, offers, type State, statusOf, step } from './machine.js'
import { type DeviceCopy, type DeviceState, deviceKey, type Loaded } from './offline/contract.js'
import type { Closed, InkwireEvents, InkwireOptions, WebSocketClass, WebSocketLike } from './options.js'
import { Outbox, report } from './outbox.js'
import { isHidden, leaveWarning, watchPage } from './page.js'
import { announce, farewell, forgetOthers, ownPresence } from './presence.js'
import { Ledger, type SaveState } from './saves.js'
import { openSocket, type Socket } from './socket.js'
import { Sync } from './sync.js'
import { Tokens } from './tokens.js'
import { Waiters } from './waiters.js'

/** Longest time between two attempts while nobody sees the page, ms. The one that shows it makes the next at once. */
const HIDDEN_BACKOFF_MS = 30_000

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
  /** Longest time between two attempts to connect, ms. */
  maxBackoffTime: number
  /** @see InkwireOptions.shouldReconnect */
  shouldReconnect: NonNullable<InkwireOptions['shouldReconnect']>

  #state = initial
  #socket: Socket | null = null
  #saveState: SaveState
  #tabs: CrossTab | null = null
  #deviceState = OFF
  #deviceCopy: DeviceCopy | null = null
  /** Whether `connect` was called while the device's copy is being read. */
  #connectLater = false
  #unwatchPage: (() => void) | undefined
  #warn: ReturnType<typeof leaveWarning> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #destroyed = false
  readonly #end = new AbortController()
  /** How many documents were given up before this one, and when the last one was. */
  #resets = 0
  #since = 0
  /** The provider that will take this one's place, while it comes up. */
  #next: InkwireProvider | undefined
  #replacing: Promise<InkwireProvider> | undefined
  readonly #options: InkwireOptions
  readonly #resyncTimer: ReturnType<typeof setInterval> | undefined
  readonly #ledger = new Ledger()
  readonly #waiters = new Waiters()
  readonly #outbox = new Outbox()
  readonly #sync: Sync
  readonly #tokens: Tokens | undefined

  /**
   * @param serverUrl `ws://…` or `wss://…`, with the server's path prefix.
   * @param roomname the document's name: any Unicode, slashes included, but not `.` or `..`.
   * @throws InkwireError INKWIRE_BAD_NAME for a name that no URL can carry. The WebSocket class throws its own
   *   error (a SyntaxError, as a rule) for a bad URL.
   */
  constructor(serverUrl: string, roomname: string, doc: Doc, options: InkwireOptions = {}) {
    super()
    const { connect = true, generation = null, resyncInterval = -1 } = options
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
    this.#sync = new Sync(doc, this, this.#ledger, generation, {
      send: (bytes) => this.#socket?.send(bytes),
      step: (event) => this.#step(event),
      tell: (name, ...args) => this.#tell(name, ...args),
      present: this.#present,
      presence: () => ownPresence(this.awareness),
      authenticate: () => this.#authenticate(),
      initialContent: () => {
        if (!options.initialContent) return null
        const initial = new Doc()
        options.initialContent(initial)
        return encodeStateAsUpdate(initial)
      },
    })
    if (options.token) {
      this.#tokens = new Tokens(options.token, {
        send: (bytes) => this.#socket?.send(bytes),
        failed: (error, first) => {
          this.#tell('token-error', error, this)
          if (first) this.#step({ type: 'lost' })
          this.#flush()
        },
      })
    }
    // What the document holds already may be nowhere else.
    if (doc.store.clients.size > 0) this.#ledger.hold(Date.now())
    this.#saveState = this.#ledger.state()
    doc.on('update', this.#onUpdate)
    doc.on('destroy', this.#onDocDestroyed)
    this.awareness.on('update', this.#onAwareness)
    if (options.recover === 'reset') {
      this.on('rejected', ({ update, retried, ...why }) => update && !retried && this.#recover(why))
      this.on('closed', (why) => why.code === Code.generationChanged && this.#recover(why))
    }
    if (resyncInterval > 0) this.#resyncTimer = setInterval(() => this.#sync.ask(), resyncInterval)
    if (options.warnBeforeLeaving) this.#warn = leaveWarning()
    if (options.offline) this.#openDevice()
    if (connect && this.#webSocket()) this.connect()
  }

  /** The document's URL, with the present `params`. */
  get url(): string {
    return documentUrl(this.serverUrl, this.roomname, this.params)
  }

  /** The present socket, or null. */
  get ws(): WebSocketLike | null {
    return this.#socket?.raw ?? null
  }

  /** Whether a connection is wanted: from `connect` to `disconnect`, or until the server ends it for good. */
  get shouldConnect(): boolean {
    return this.#connectLater || isWanted(this.#state)
  }

  get wsconnected(): boolean {
    return statusOf(this.#state) === 'connected'
  }

  get wsconnecting(): boolean {
    return statusOf(this.#state) === 'connecting'
  }

  /** Whether this talks to other tabs of the browser. */
  get bcconnected(): boolean {
    return this.#tabs !== null
  }

  /** The state of the connection, finer than y-websocket's words. The same object until it changes. */
  get connection(): State {
    return this.#state
  }

  /** Whether all that the server holds is here. */
  get synced(): boolean {
    return this.#state.name === 'live'
  }

  /** Where this device's edits are. The same object until something changes (event `save`). */
  get saveState(): SaveState {
    return this.#saveState
  }

  /** Where the device's copy is. The same object until something changes (event `device`). */
  get device(): DeviceState {
    return this.#deviceState
  }

  /**
   * A promise for the moment when the device's copy is in the document (option `offline`), or it is known that
   * there will be none. It rejects only with InkwireError INKWIRE_DESTROYED.
   *
   * @example
   *   await provider.whenLoaded // shows what was there the last time, also without a network
   */
  get whenLoaded(): Promise<void> {
    return this.#until(() => this.#deviceState.status !== 'loading')
  }

  /**
   * What the server last said that this client may do, with the option `offline` perhaps to an earlier page; null before
   * that, and with other servers.
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
    return this.#until(() => {
      const state = this.#state
      if (state.name !== 'stopped') return this.synced
      const { code, reason } = state
      return new InkwireError('INKWIRE_STOPPED', `${code} ${reason}`, { cause: { code, reason } })
    })
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
    return this.#until(() => {
      if (this.#ledger.isDurable(edits)) return true
      const { rejected, supported } = this.#ledger.state()
      const { name } = this.#state
      const never = rejected > 0 || supported === false || name === 'stopped'
      return never && new InkwireError('INKWIRE_NOT_SAVED', `${this.#saveState.status}, ${name}`)
    }, timeout)
  }

  /**
   * Connects, and keeps connecting; while it waits for the next attempt, it makes it now.
   *
   * @throws InkwireError INKWIRE_BAD_OPTION when there is no WebSocket class; what that class throws for a bad URL.
   */
  connect(): void {
    // Never two sockets: while a new document is on its way, that one has it.
    if (this.#destroyed || this.#next) return
    if (this.#deviceState.status === 'loading') this.#connectLater = true
    else this.#step({ type: 'connect' })
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
    this.#step({ type: 'disconnect' })
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
    return this.#replace({ code: 0, reason: 'reset' }, 0)
  }

  /** Disconnects for good and lets go of the document. Ends the awareness, too, unless it was passed in. */
  override destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#deviceCopy?.close()
    this.#end.abort()
    this.#next?.destroy()
    if (!this.#options.awareness) this.awareness.destroy()
    this.disconnect()
    this.awareness.off('update', this.#onAwareness)
    clearInterval(this.#resyncTimer)
    this.doc.off('update', this.#onUpdate)
    this.doc.off('destroy', this.#onDocDestroyed)
    this.#flush()
    super.destroy()
  }

  /** The connection waits until the content is there: it says of which generation it is (PROTOCOL X2). */
  #openDevice(): void {
    this.#deviceState = LOADING
    this.#deviceCopy = openDevice({
      doc: this.doc,
      origin: this,
      key: deviceKey(this.serverUrl, this.roomname),
      generation: () => this.generation,
      unsaved: () => this.#ledger.unsaved(),
      access: () => this.access,
      loaded: (copy) => this.#loaded(copy),
      changed: (state) => {
        const { status, error } = this.#deviceState
        if (this.#destroyed || (status === state.status && error === state.error)) return
        this.#deviceState = state
        this.#tell('device', state)
        this.#flush()
      },
      report,
    })
  }

  #loaded(copy: Loaded | null): void {
    if (copy?.unsaved) this.#ledger.adopt(copy.unsaved)
    if (copy?.generation) this.#sync.bind(copy.generation)
    if (copy?.access) this.#sync.permit(copy.access)
    this.#outbox.add(() => {
      if (!this.#connectLater) return
      this.#connectLater = false
      this.#step({ type: 'connect' })
    })
    this.#flush()
  }

  /** What becomes of it is told by events. */
  #recover(why: Closed): void {
    this.#replace(why, this.#since).catch(() => {})
  }

  #replace(why: Closed, since: number): Promise<InkwireProvider> {
    // Loaded when it is needed, as few ever do.
    this.#replacing ??= import('./recovery.js')
      .then(({ replace }) =>
        replace(
          this,
          {
            options: this.#options,
            key: deviceKey(this.serverUrl, this.roomname),
            signal: this.#end.signal,
            succeed: (doc, options) => {
              const next = new InkwireProvider(this.serverUrl, this.roomname, doc, options)
              this.#next = next
              next.#resets = this.#resets + 1
              next.#since = Date.now()
              return next
            },
            release: () => {
              this.#next = undefined
            },
            keep: (next) => next.#destroyed || next.#openDevice(),
          },
          why,
          since,
        ),
      )
      .finally(() => {
        this.#next = this.#replacing = undefined
      })
    return this.#replacing
  }

  readonly #onDocDestroyed = (): void => this.destroy()

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    const ours = origin === this
    // What came from a tab is sent as well: that tab may be offline, or gone before it could.
    if (ours && !this.#tabs?.applying) return
    this.#sync.edited(update)
    if (!ours) this.#tabs?.update(update)
    this.#flush()
  }

  readonly #onAwareness = (changed: { readonly [how: string]: readonly number[] }): void => {
    const ids = Object.values(changed).flat()
    if (ids.includes(this.awareness.clientID)) this.#publish(ownPresence(this.awareness))
  }

  /** Others' presence arrived. */
  readonly #present = (update: Uint8Array): void => applyAwarenessUpdate(this.awareness, update, this)

  /** Sends presence to everybody. */
  #publish(update: Uint8Array): void {
    this.#socket?.send(encodeAwareness(update))
    this.#tabs?.presence(update)
  }

  #until(check: () => boolean | InkwireError, timeoutMs?: number): Promise<void> {
    return this.#waiters.until(
      () => (this.#destroyed ? new InkwireError('INKWIRE_DESTROYED', 'destroyed') : check()),
      timeoutMs,
    )
  }

  #webSocket(): WebSocketClass | undefined {
    const { connection, WebSocketPolyfill: socket = globalThis.WebSocket } = this.#options
    return socket && (connection?.(this.serverUrl, socket) ?? socket)
  }

  /** Moves the state machine and makes the world follow: socket, other tabs, timer, listeners. */
  #step(event: Event, close: CloseEvent | null = null): void {
    const before = this.#state
    const maxBackoffMs = isHidden() ? Math.max(this.maxBackoffTime, HIDDEN_BACKOFF_MS) : this.maxBackoffTime
    const environment = { now: Date.now(), random: Math.random(), maxBackoffMs }
    const after = step(before, event, environment)
    if (after === before) return
    this.#state = after
    clearTimeout(this.#retryTimer)
    if (this.#socket && statusOf(after) !== 'connected') this.#hangUp(before, close)
    if (isWanted(before) !== isWanted(after)) this.#setActive(isWanted(after))
    this.#tellOf(before, after)
    if (after.name === 'connecting') this.#dial()
    if (after.name === 'backingOff') {
      this.#retryTimer = setTimeout(() => this.#step({ type: 'retry' }), after.delayMs)
    }
    this.#flush()
  }

  #dial(): void {
    const protocols = offers(this.#state) ? [...this.protocols, SUBPROTOCOL] : [...this.protocols]
    try {
      const WebSocket = this.#webSocket()
      if (!WebSocket) throw new InkwireError('INKWIRE_BAD_OPTION', 'no WebSocket')
      this.#socket = openSocket(WebSocket, this.url, protocols, {
        opened: (protocol) => {
          this.#step({ type: 'opened' })
          // A listener may have hung up.
          if (this.#state.name !== 'syncing') return
          this.#sync.begin(protocol)
          announce(this.awareness)
          this.#flush()
        },
        message: (bytes) => {
          this.#sync.received(bytes)
          this.#flush()
        },
        failed: (event) => {
          this.#tell('connection-error', event, this)
          this.#flush()
        },
        probe: () => this.#sync.probe(),
        lost: (event) => {
          if (!event || this.shouldReconnect(event, this)) this.#step({ type: 'lost' }, event)
          else this.#refused(event)
        },
      })
    } catch (error) {
      this.disconnect()
      throw error
    }
  }

  /** The server wants a token (PROTOCOL X7). */
  #authenticate(): void {
    this.#step({ type: 'asked' })
    if (this.#tokens) void this.#tokens.show()
    else if (this.#state.name === 'authorizing') {
      // It would wait for one, and then say the same.
      this.#step({ type: 'refused', code: Code.unauthenticated, reason: 'token needed' })
    }
  }

  #refused(event: CloseEvent): void {
    const { code, reason } = event
    const tokens = code === Code.unauthenticated && this.#tokens
    // One that waited too long for a token has refused none.
    const late = tokens && this.#state.name === 'authorizing' && !tokens.shown
    this.#step({ type: late ? 'lost' : tokens ? 'denied' : 'refused', code, reason }, event)
  }

  #hangUp(before: State, event: CloseEvent | null): void {
    this.#socket?.close()
    this.#socket = null
    this.#sync.end()
    this.#tokens?.end()
    this.#tell('connection-close', event, this)
    if (statusOf(before) !== 'connected') return
    this.#outbox.add(() => {
      forgetOthers(this.awareness, this)
      // Other tabs are still there.
      this.#tabs?.askPresence()
    })
  }

  /** The page and other tabs matter as long as a connection is wanted. */
  #setActive(active: boolean): void {
    this.#unwatchPage?.()
    this.#tabs?.presence(farewell(this.awareness))
    this.#tabs?.close()
    this.#tabs = null
    if (!active) return
    this.#unwatchPage = watchPage({
      wake: () => {
        this.#socket?.check()
        this.#step({ type: 'retry' })
      },
      hide: (kept) => {
        this.#publish(farewell(this.awareness))
        // With an open socket, some browsers keep no page. What was sent still goes out.
        if (kept) this.#step({ type: 'suspended' })
      },
      show: () => announce(this.awareness),
    })
    // Tabs that still have what was given up must not bring it back.
    const name = `inkwire:${this.serverUrl}/${this.roomname}${'#'.repeat(this.#resets)}`
    const channel = this.#options.disableBc ? null : openChannel(name)
    if (!channel) return
    this.#tabs = new CrossTab(channel, {
      doc: this.doc,
      origin: this,
      generation: () => this.generation,
      presence: () => ownPresence(this.awareness),
      present: this.#present,
      merged: (generation) => {
        if (generation) this.#sync.bind(generation)
        this.#flush()
      },
    })
    this.#outbox.add(() => announce(this.awareness))
  }

  /** The events that a step brings about, in y-websocket's order. */
  #tellOf(before: State, after: State): void {
    const synced = after.name === 'live'
    if (synced !== (before.name === 'live')) {
      this.#tell('synced', synced)
      this.#tell('sync', synced)
    }
    const status = statusOf(after)
    this.#tell('connection', after)
    if (status !== statusOf(before) || after.name === 'connecting') this.#tell('status', { status })
    if (after.name === 'stopped') this.#tell('closed', { code: after.code, reason: after.reason }, this)
  }

  #tell<Name extends keyof InkwireEvents>(name: Name, ...args: Parameters<InkwireEvents[Name]>): void {
    this.#outbox.add(() => this.emit(name, args))
  }

  /** A step of ours is complete: tells everybody. */
  #flush(): void {
    const next = this.#ledger.state()
    const keys = Object.keys(next) as (keyof SaveState)[]
    if (keys.some((key) => next[key] !== this.#saveState[key])) {
      this.#saveState = next
      this.#tell('save', next)
    }
    const { pending, supported } = next
    const unsafe =
      pending > 0 && this.#deviceState.status !== 'stored' && !(this.synced && supported === false)
    this.#warn?.(unsafe && !this.#destroyed)
    this.#deviceCopy?.look()
    this.#waiters.look()
    this.#outbox.flush()
  }
}
