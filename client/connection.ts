import { Code } from '../shared/codes.js'
import { InkwireError } from '../shared/errors.js'
import { SUBPROTOCOL } from '../shared/messages.js'
import { type Event, initial, isWanted, offers, type State, statusOf, step } from './machine.js'
import type { InkwireOptions, Reset, WebSocketClass } from './options.js'
import type { Outbox } from './outbox.js'
import { isHidden, watchPage } from './page.js'
import { openSocket, type Socket } from './socket.js'
import { Tokens } from './tokens.js'

/** Longest time between two attempts while nobody sees the page, ms. The one that shows it makes the next at once. */
const HIDDEN_BACKOFF_MS = 30_000

/** What happens to a connection, beside its events. */
export interface ConnectionHandlers {
  /** @see SocketHandlers */
  opened(protocol: string | undefined): void
  /** @see SocketHandlers */
  message(bytes: Uint8Array): void
  /** @see SocketHandlers */
  probe(): void
  /**
   * The socket is gone.
   *
   * @param opened whether it had opened.
   */
  closed(opened: boolean): void
  /** A connection is wanted from now on, or no longer. */
  wanted(wanted: boolean): void
  /** The page goes away; what is sent now still goes out. */
  hide(): void
  /** The page is here again. */
  show(): void
}

/**
 * A provider's connection, from one socket to the next: makes the world follow the state machine. It owns the socket,
 * the timer of the next attempt, what listens to the page, and the tokens.
 */
export class Connection {
  /** @see InkwireProvider.connection */
  state = initial
  /** The present one. */
  socket: Socket | null = null
  #unwatchPage: (() => void) | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  readonly #provider: Reset['provider']
  readonly #options: InkwireOptions
  readonly #outbox: Outbox
  readonly #handlers: ConnectionHandlers
  readonly #tokens: Tokens | undefined

  /** @param provider its public settings are looked at for each attempt. */
  constructor(
    provider: Reset['provider'],
    options: InkwireOptions,
    outbox: Outbox,
    handlers: ConnectionHandlers,
  ) {
    this.#provider = provider
    this.#options = options
    this.#outbox = outbox
    this.#handlers = handlers
    if (options.token) {
      this.#tokens = new Tokens(options.token, {
        send: (bytes) => this.send(bytes),
        failed: (error, first) => {
          outbox.tell('token-error', error, provider)
          if (first) this.step({ type: 'lost' })
          outbox.flush()
        },
      })
    }
  }

  /** The class of sockets; undefined if there is none. */
  get webSocket(): WebSocketClass | undefined {
    const { connection, WebSocketPolyfill: socket = globalThis.WebSocket } = this.#options
    return socket && (connection?.(this.#provider.serverUrl, socket) ?? socket)
  }

  /** Sends one message on the present socket; does nothing without one. */
  send(bytes: Uint8Array): void {
    this.socket?.send(bytes)
  }

  /** The server wants a token (PROTOCOL X7). */
  authenticate(): void {
    this.step({ type: 'asked' })
    if (this.#tokens) void this.#tokens.show()
    else if (this.state.name === 'authorizing') {
      // Without a token function: the server would wait for a token, and then refuse in the same way.
      this.step({ type: 'refused', code: Code.unauthenticated, reason: 'token needed' })
    }
  }

  /** Something happened. */
  step(event: Event, close: CloseEvent | null = null): void {
    const before = this.state
    // Without any wait, or with NaN, it would hammer the server.
    const maxBackoffMs = Math.max(this.#provider.maxBackoffTime, isHidden() ? HIDDEN_BACKOFF_MS : 0) || 2_500
    const after = step(before, event, { now: Date.now(), random: Math.random(), maxBackoffMs })
    if (after === before) return
    this.state = after
    clearTimeout(this.#retryTimer)
    if (this.socket && statusOf(after) !== 'connected') this.#hangUp(before, close)
    if (isWanted(before) !== isWanted(after)) this.#setWanted(isWanted(after))
    this.#tell(before, after)
    if (after.name === 'connecting') this.#dial()
    if (after.name === 'backingOff') {
      this.#retryTimer = setTimeout(() => this.step({ type: 'retry' }), after.delayMs)
    }
    this.#outbox.flush()
  }

  #dial(): void {
    const provider = this.#provider
    const outbox = this.#outbox
    const { opened, message, probe } = this.#handlers
    const protocols = offers(this.state) ? [...provider.protocols, SUBPROTOCOL] : [...provider.protocols]
    try {
      const WebSocket = this.webSocket
      if (!WebSocket) throw new InkwireError('INKWIRE_BAD_OPTION', 'no WebSocket')
      this.socket = openSocket(WebSocket, provider.url, protocols, {
        opened: (protocol) => {
          this.step({ type: 'opened' })
          // A listener may have hung up.
          if (this.state.name !== 'syncing') return
          opened(protocol)
          outbox.flush()
        },
        message: (bytes) => {
          message(bytes)
          outbox.flush()
          return this.state.name === 'syncing'
        },
        failed: (event) => {
          outbox.tell('connection-error', event, provider)
          outbox.flush()
        },
        probe,
        lost: (event) => {
          if (!event || provider.shouldReconnect(event, provider)) this.step({ type: 'lost' }, event)
          else this.#refused(event)
        },
      })
    } catch (error) {
      this.step({ type: 'disconnect' })
      throw error
    }
  }

  #refused(event: CloseEvent): void {
    const { code, reason } = event
    const tokens = code === Code.unauthenticated && this.#tokens
    // A server that gave up waiting for a token has refused none.
    const late = tokens && this.state.name === 'authorizing' && !tokens.shown
    this.step({ type: late ? 'lost' : tokens ? 'denied' : 'refused', code, reason }, event)
  }

  #hangUp(before: State, event: CloseEvent | null): void {
    this.socket?.close()
    this.socket = null
    this.#tokens?.end()
    this.#outbox.tell('connection-close', event, this.#provider)
    this.#handlers.closed(statusOf(before) === 'connected')
  }

  /** The page matters as long as a connection is wanted. */
  #setWanted(wanted: boolean): void {
    const { hide, show } = this.#handlers
    this.#unwatchPage?.()
    this.#handlers.wanted(wanted)
    if (!wanted) return
    this.#unwatchPage = watchPage({
      wake: () => {
        this.socket?.check()
        this.step({ type: 'retry' })
      },
      hide: (kept) => {
        hide()
        // Some browsers keep no page in the back/forward cache that has an open socket. What was sent still goes out.
        if (kept) this.step({ type: 'suspended' })
      },
      show,
    })
  }

  /** The events that a step brings about, in y-websocket's order. */
  #tell(before: State, after: State): void {
    const outbox = this.#outbox
    const synced = after.name === 'live'
    if (synced !== (before.name === 'live')) {
      outbox.tell('synced', synced)
      outbox.tell('sync', synced)
    }
    const status = statusOf(after)
    outbox.tell('connection', after)
    if (status !== statusOf(before) || after.name === 'connecting') outbox.tell('status', { status })
    if (after.name === 'stopped') {
      outbox.tell('closed', { code: after.code, reason: after.reason }, this.#provider)
    }
  }
}
