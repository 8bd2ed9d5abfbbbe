import { Code } from '../../shared/codes.js'
import { backoff } from '../machine.js'
import type { WebSocketClass } from '../options.js'
import { isHidden, watchPage } from '../page.js'
import { ABNORMAL, Line } from './line.js'
import type { Carrier, VirtualSocket } from './virtual-socket.js'

/**
 * How long a connection without documents stays open, ms: one document is often closed just before the next is opened.
 */
const LINGER_MS = 1_000
/** Longest time between two attempts to connect, ms; the second while nobody sees the page. */
const MOST_BACKOFF_MS = 2_500
const HIDDEN_BACKOFF_MS = 30_000
/** For how long a server that knows no shared connections isn't asked again, ms. */
const APART_MS = 600_000
/** What a server that may know shared connections says when it can't take one now (PROTOCOL C1). */
const NOT_NOW: readonly number[] = [
  Code.goingAway,
  Code.restart,
  Code.tryLater,
  Code.unauthenticated,
  Code.forbidden,
  Code.tooFast,
]

/**
 * The connection to one server that its documents share: when it is made, and when it ends. It is there while there are
 * documents, and a moment longer. Owns the line, its own timers and listeners.
 */
export class Trunk implements Carrier {
  readonly #url: string
  readonly #WebSocket: WebSocketClass
  #line: Line | null = null
  /** Those that have no channel yet. */
  readonly #waiting = new Set<VirtualSocket>()
  #unwatch: (() => void) | undefined
  #linger: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  /** Attempts in a row that came to nothing, and when the next may be made. */
  #failures = 0
  #notBefore = 0
  /**
   * Whether one document has a socket of its own, to see whether the server takes those; and whether it did, so that
   * the shared one is tried again.
   */
  #scouting = false
  #again = false
  #apartUntil = 0
  /** The page goes into the back/forward cache, where some browsers take none with an open socket. */
  #leaving = false

  /** @param base the server's URL, with the path prefix and without a slash at its end. */
  constructor(base: string, WebSocket: WebSocketClass) {
    this.#url = `${base}/`
    this.#WebSocket = WebSocket
  }

  /** Whether the server is known not to have shared connections. */
  get apart(): boolean {
    const left = this.#apartUntil - Date.now()
    // More than that: the clock was set back.
    return left > 0 && left <= APART_MS
  }

  get bufferedAmount(): number | undefined {
    return this.#line?.bufferedAmount
  }

  add(one: VirtualSocket): void {
    clearTimeout(this.#linger)
    this.#waiting.add(one)
    // Whoever makes a socket sets its listeners afterwards.
    if (this.#line?.isGreeted || this.apart) queueMicrotask(() => this.#admit())
    else {
      try {
        this.#dial()
      } catch (error) {
        this.#waiting.delete(one)
        throw error
      }
    }
  }

  remove(one: VirtualSocket, code: number, reason: string): void {
    this.#waiting.delete(one)
    this.#line?.end(one, code, reason)
    this.#rest()
  }

  send(channel: number, data: Uint8Array): void {
    this.#line?.send(channel, data)
  }

  /** Connects, unless that is under way, or has to wait. */
  #dial(): void {
    if (this.#line || this.#scouting || this.#waiting.size === 0) return
    clearTimeout(this.#retry)
    // Not for ever if the clock was set back.
    const wait = Math.min(this.#notBefore - Date.now(), HIDDEN_BACKOFF_MS)
    if (wait > 0) this.#retry = setTimeout(() => this.#dial(), wait)
    else {
      this.#line = new Line(this.#WebSocket, this.#url, {
        greeted: () => {
          this.#failures = this.#notBefore = 0
          this.#again = false
          this.#admit()
        },
        foreign: () => this.#goApart(),
        failed: (event) => {
          for (const one of [...this.#waiting]) one.fail(event)
        },
        left: () => this.#rest(),
        lost: (code, reason) => this.#lost(code, reason),
      })
    }
    this.#watch()
  }

  /** Gives everybody who waits a channel, or a socket of its own where there is none. */
  #admit(): void {
    for (const one of [...this.#waiting]) {
      // A listener of one before it may have closed it, or ended everything.
      if (!this.#line?.isGreeted && !this.apart) return
      if (!this.#waiting.delete(one)) continue
      if (this.#line && !this.#line.isFull) this.#line.open(one)
      else one.goAlone(this.#WebSocket)
    }
    // The connection may have died without a word.
    if (this.#line?.isGreeted) this.#line.check()
  }

  /** The connection is gone, and so are all on it. */
  #lost(code: number, reason: string): void {
    if (this.#line?.isGreeted) this.#endAll(code, reason)
    else if (code === Code.noSuchDocument || this.#again) this.#goApart()
    else if (NOT_NOW.includes(code)) this.#failed(code, reason)
    else {
      this.#hangUp()
      this.#scout()
    }
  }

  /**
   * A handshake that a server refuses looks like a server that is down. One of those who wait tries what it would do
   * without us; if that works, the server may just have come up, so we try once more, too.
   */
  #scout(): void {
    const [one] = this.#waiting
    if (!one) return
    this.#waiting.delete(one)
    this.#scouting = true
    one.goAlone(this.#WebSocket, (opened) => {
      if (!this.#scouting) return
      this.#scouting = false
      this.#again = opened
      if (opened) this.#dial()
      else this.#failed(ABNORMAL, '')
    })
  }

  #goApart(): void {
    this.#hangUp()
    this.#again = false
    this.#apartUntil = Date.now() + APART_MS
    this.#admit()
  }

  #failed(code: number, reason: string): void {
    const most = isHidden() ? HIDDEN_BACKOFF_MS : MOST_BACKOFF_MS
    this.#notBefore = Date.now() + backoff(++this.#failures, most, Math.random())
    this.#endAll(code, reason)
  }

  #endAll(code: number, reason: string): void {
    const all = [...this.#hangUp(), ...this.#waiting]
    this.#waiting.clear()
    for (const one of all) one.end(code, reason)
    this.#rest()
  }

  /** Without documents there will soon be no connection. */
  #rest(): void {
    if (this.#waiting.size > 0 || this.#line?.isEmpty === false) return
    clearTimeout(this.#linger)
    clearTimeout(this.#retry)
    if (!this.#line || this.#leaving) this.#hangUp()
    else this.#linger = setTimeout(() => this.#hangUp(), LINGER_MS)
  }

  /** Returns who was on the line. */
  #hangUp(): VirtualSocket[] {
    const line = this.#line
    this.#line = null
    this.#unwatch?.()
    this.#unwatch = undefined
    clearTimeout(this.#linger)
    return line?.close() ?? []
  }

  #watch(): void {
    this.#unwatch?.()
    this.#unwatch = watchPage({
      wake: () => {
        this.#notBefore = 0
        if (this.#line) this.#line.check()
        else this.#dial()
      },
      hide: (kept) => {
        this.#leaving = kept
        this.#rest()
      },
      show: () => {
        this.#leaving = false
      },
    })
  }
}
