import { applyAwarenessUpdate } from 'y-protocols/awareness'
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import {
  decodeFromServer,
  encodeAwareness,
  encodeInitialContent,
  encodeJoin,
  encodeQueryAwareness,
  encodeSignal,
  encodeSyncStep1,
  encodeSyncStep2,
  encodeUpdate,
} from '../shared/codec.js'
import { Code, isPermanent } from '../shared/codes.js'
import {
  type Access,
  type Ack,
  type Hello,
  type Message,
  type Rejection,
  type Signal,
  SUBPROTOCOL,
} from '../shared/messages.js'
import type { Connection } from './connection.js'
import type { InkwireOptions } from './options.js'
import { report, type Teller } from './outbox.js'
import { ownPresence } from './presence.js'
import type { Replica } from './replica.js'
import { isEmptyUpdate, type Ledger } from './saves.js'

/** The connection, as the exchange sees it. */
type Link = Pick<Connection, 'authenticate' | 'send' | 'step'>
type SyncOptions = Pick<InkwireOptions, 'generation' | 'initialContent'>

const EMPTY_UPDATE = Uint8Array.of(0, 0)

/** The document's exchange with servers, over one connection after another. It never sees a socket. */
export class Sync {
  /**
   * What the server at the other end speaks: the extensions, as it greeted; null, y-websocket's wire and
   * nothing else; undefined, it hasn't said anything yet. Servers that select any subprotocol exist, so only
   * a hello as the first message proves the extensions (PROTOCOL X1).
   */
  #hello: Hello | null | undefined
  /** Whether our sync step 2 went out on this connection. It carries all made before, so updates wait for it. */
  #answered = false
  /** Up to where of its generation we are known to lack nothing (PROTOCOL X4); 0: not known. */
  #mark = 0
  /** The message of this connection whose ack will prove that there is durable history; 0: none yet. */
  #proof = 0
  /** Whether the server has our initial content, and has not said yet what became of it. */
  #seeding = false
  /** @see InkwireProvider.access */
  access: Access | null = null
  /** @see InkwireProvider.generation */
  generation: string | null
  readonly #replica: Replica
  readonly #ledger: Ledger
  readonly #link: Link
  readonly #teller: Teller
  readonly #options: SyncOptions

  constructor(replica: Replica, ledger: Ledger, link: Link, teller: Teller, options: SyncOptions) {
    this.#replica = replica
    this.#ledger = ledger
    this.#link = link
    this.#teller = teller
    this.#options = options
    this.generation = options.generation ?? null
  }

  /**
   * A socket opened.
   *
   * @param protocol the subprotocol that the server selected; undefined if the socket doesn't tell.
   */
  begin(protocol: string | undefined): void {
    if (protocol !== SUBPROTOCOL && protocol !== undefined) this.#plain()
    // With a mark it asks when it has been greeted: join goes first (PROTOCOL X3).
    if (!this.#mark) this.ask()
  }

  /** The socket is gone. */
  end(): void {
    this.#hello = undefined
    this.#answered = this.#seeding = false
    this.#proof = 0
    this.#ledger.end()
  }

  /** Asks the server for what it has and we don't. */
  ask(): void {
    this.#link.send(encodeSyncStep1(encodeStateVector(this.#replica.doc)))
  }

  /** Asks something that the server answers; with little, if it is one of which that is known. */
  probe(): void {
    if (this.#hello) this.#link.send(encodeQueryAwareness())
    else this.ask()
  }

  /** Says something to the other members; whether there is a server that passes it on. */
  signal(data: unknown): boolean {
    if (!this.#hello) return false
    this.#link.send(encodeSignal(new TextEncoder().encode(JSON.stringify(data))))
    return true
  }

  /** The document changed by anything but this exchange. */
  edited(update: Uint8Array): void {
    if (this.#hello === null || this.#answered) this.#offer('update', update)
    else this.#ledger.hold(Date.now())
  }

  /** The document's content is now known to be of a generation. */
  bind(generation: string): void {
    if (this.generation !== null) return
    this.generation = generation
    this.#teller.tell('generation', generation)
  }

  /** One message from the server. */
  received(bytes: Uint8Array): void {
    let message: Message
    try {
      message = decodeFromServer(bytes)
    } catch (error) {
      // Other servers may have messages of their own kind; one that greeted has no excuse.
      if (this.#hello) this.#link.step({ type: 'lost' })
      report(error)
      return
    }
    try {
      // Asked for a token (PROTOCOL X7), we know that the server speaks the extensions, but not yet how.
      if (message.type === 'authenticate') {
        this.#link.authenticate()
        return
      }
      // A sign of life (PROTOCOL W6) may come before either.
      if (this.#hello === undefined && message.type !== 'hello' && message.type !== 'awareness') this.#plain()
      this.#act(message)
    } catch (error) {
      // Malformed content, or an observer of the app threw; Yjs doesn't let us tell.
      report(error)
    }
  }

  /** What this client may do, as a server says, or said to this device. */
  permit(access: Access): void {
    this.access = access
    this.#teller.tell('access', access)
  }

  #plain(): void {
    // Such a server says nothing of access: whoever was read-only by an earlier server's word is so no longer.
    if (this.access === 'read') this.permit('write')
    this.#hello = this.access = null
    this.#ledger.begin(null)
    if (this.#mark) this.ask()
  }

  #greeted(hello: Hello): void {
    const { generation } = this
    const known = this.#hello
    if (known === null) return
    if (!known && generation !== null && generation !== hello.generation) {
      // Before anything is merged (PROTOCOL X2).
      this.#link.step({ type: 'refused', code: Code.generationChanged, reason: 'generation-changed' })
      return
    }
    this.#link.step({ type: 'admitted' })
    // A later one tells of another access; what it counts by then may not be durable.
    this.#hello = { ...hello, seq: known?.seq ?? hello.seq }
    this.#ledger.begin(hello.durability)
    this.permit(hello.access)
    if (known) return
    if (generation !== null) this.#link.send(encodeJoin(generation, this.#mark))
    if (this.#mark) this.ask()
    if (hello.seq === 0 && hello.access !== 'read' && this.#isEmpty()) this.#seed(hello)
  }

  /** The server decides whose initial content it takes; everybody gets that (PROTOCOL X9). */
  #seed({ maxMessageBytes }: Hello): void {
    if (!this.#options.initialContent) return
    const initial = new Doc()
    this.#options.initialContent(initial)
    const bytes = encodeInitialContent(encodeStateAsUpdate(initial))
    if (bytes.length > maxMessageBytes) return
    this.#seeding = true
    this.#link.send(bytes)
    // Answered once the document has its content, whoever it is from.
    this.ask()
  }

  #heard({ data, user }: Signal): void {
    try {
      this.#teller.tell('message', { data: JSON.parse(new TextDecoder().decode(data)), user })
    } catch {
      // No JSON: from another kind of client, or from somebody who wants to fill error logs.
    }
  }

  #isEmpty(): boolean {
    return this.#replica.doc.store.clients.size === 0
  }

  #act(message: Message): void {
    switch (message.type) {
      case 'syncStep1':
        this.#offer('syncStep2', encodeStateAsUpdate(this.#replica.doc, message.stateVector))
        break
      case 'syncStep2':
      case 'update':
        this.#apply(message)
        break
      case 'awareness':
        applyAwarenessUpdate(this.#replica.awareness, message.update, this.#replica)
        break
      case 'queryAwareness':
        this.#link.send(encodeAwareness(ownPresence(this.#replica.awareness)))
        break
      case 'permissionDenied':
        this.#tellRejected(Code.forbidden, message.reason)
        break
      case 'ack':
        this.#acknowledged(message)
        break
      case 'rejection':
        this.#refused(message)
        break
      case 'hello':
        this.#greeted(message)
        break
      case 'signal':
        this.#heard(message)
        break
      default:
        // What only clients send changes nothing.
        break
    }
  }

  #apply({ type, update }: Extract<Message, { readonly type: 'syncStep2' | 'update' }>): void {
    const hello = this.#hello
    let whole = type === 'syncStep2'
    try {
      applyUpdate(this.#replica.doc, update, this.#replica)
    } finally {
      // Observers of the app may throw, and they may have ended the connection.
      if (this.#hello === hello) {
        this.#seeding &&= this.#isEmpty()
        whole &&= !this.#seeding
        if (hello && (hello.seq > 0 ? whole : !isEmptyUpdate(update))) this.#witness(hello)
        if (whole) this.#link.step({ type: 'synced' })
      }
    }
  }

  /**
   * History has arrived, of this generation if it is durable. It may not be: updates are passed on before
   * they are, and one that is lost with the server must not bind us to a generation that never was. So if
   * there was none to begin with, an ack is asked for, which says that all that came before it is durable.
   */
  #witness({ seq, generation }: Hello): void {
    if (seq > 0) this.bind(generation)
    else if (this.generation === null && this.#answered && this.#proof === 0) {
      this.#ledger.sendProbe(EMPTY_UPDATE)
      this.#proof = this.#ledger.sent
      this.#link.send(encodeUpdate(EMPTY_UPDATE))
    }
  }

  #acknowledged({ received, durable, mark }: Ack): void {
    this.#ledger.ack(received, durable)
    this.#mark = mark || this.#mark
    if (this.#hello && this.#proof > 0 && durable >= this.#proof) this.bind(this.#hello.generation)
  }

  #refused({ message, code, reason }: Rejection): void {
    if (!this.#hello) return
    // Our initial content, say: then the document has none.
    if (message === 0 && this.#seeding) this.ask()
    this.#seeding &&= message !== 0
    if (this.#proof === message) this.#proof = 0
    const again = !isPermanent(code) && code !== Code.tooBig
    const sent = this.#ledger.reject(message, again)
    const retried = again && sent !== undefined
    this.#tellRejected(code, reason, sent?.update, sent?.count, retried)
    // The sync step 2 of the next connection offers them again, after a backoff.
    if (retried) this.#link.step({ type: 'lost' })
  }

  /** Sends an edit, or all that the server lacks. */
  #offer(type: 'syncStep2' | 'update', update: Uint8Array): void {
    const whole = type === 'syncStep2'
    const bytes = (whole ? encodeSyncStep2 : encodeUpdate)(update)
    // The server would close the connection, and meet the same message on the next one, for ever.
    const fits = !this.#hello || bytes.length <= this.#hello.maxMessageBytes
    const edits = this.#ledger.send(update, Date.now(), whole, fits)
    if (whole) this.#answered = true
    if (!fits) {
      if (edits > 0) this.#tellRejected(Code.tooBig, 'too large', update, edits)
      return
    }
    if (this.#proof === 0 && !this.#isEmpty()) this.#proof = this.#ledger.sent
    this.#link.send(bytes)
  }

  #tellRejected(
    code: number,
    reason: string,
    update: Uint8Array | null = null,
    edits = 0,
    retried = false,
  ): void {
    this.#teller.tell('rejected', { code, reason, update, edits, retried })
  }
}
