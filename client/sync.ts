import { applyUpdate, type Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import { decodeMessage, encodeMessage } from '../shared/codec.js'
import { Code, isPermanent } from '../shared/codes.js'
import { type Access, type Hello, type Message, type Rejection, SUBPROTOCOL } from '../shared/messages.js'
import type { Event } from './machine.js'
import type { InkwireEvents } from './options.js'
import { report } from './outbox.js'
import { isEmptyUpdate, type Ledger } from './saves.js'

/** What the exchange does to the world. */
export interface SyncHost {
  /** Milliseconds since 1970. */
  now(): number
  /** Sends one message on the present socket; does nothing without one. */
  send(bytes: Uint8Array): void
  /** Something happened to the connection. */
  step(event: Event): void
  /** Closes the present socket with a code, to connect again later. */
  drop(code: number): void
  /** Emits an event, once the step at hand is complete. */
  tell<Name extends keyof InkwireEvents>(name: Name, ...args: Parameters<InkwireEvents[Name]>): void
  /** Others' presence arrived. */
  present(update: Uint8Array): void
  /** Our own presence, encoded. */
  presence(): Uint8Array
}

/**
 * What is known about the server at the other end. Servers that select any subprotocol exist, so only a
 * hello as the first message proves the extensions (PROTOCOL X1).
 */
type Link =
  | { readonly dialect: 'undecided' }
  /** y-websocket's wire and nothing else. */
  | { readonly dialect: 'plain' }
  | {
      readonly dialect: 'inkwire'
      readonly hello: Hello
      /** Whether our sync step 2 went out. It carries all that was made before, so updates wait for it. */
      answered: boolean
      /** The message whose durability proves that the document has history of this generation; 0: none yet. */
      proof: number
    }

const EMPTY_UPDATE = Uint8Array.of(0, 0)

/** The document's exchange with servers, over one connection after another. It never sees a socket. */
export class Sync {
  #link: Link = { dialect: 'undecided' }
  /** @see InkwireProvider.access */
  access: Access | null = null
  /** @see InkwireProvider.generation */
  generation: string | null
  readonly #doc: Doc
  readonly #origin: object
  readonly #ledger: Ledger
  readonly #host: SyncHost

  /** @param origin the transaction origin of updates from the server. */
  constructor(doc: Doc, origin: object, ledger: Ledger, generation: string | null, host: SyncHost) {
    this.#doc = doc
    this.#origin = origin
    this.#ledger = ledger
    this.generation = generation
    this.#host = host
  }

  /**
   * A socket opened.
   *
   * @param protocol the subprotocol that the server selected; undefined if the socket doesn't tell.
   */
  begin(protocol: string | undefined): void {
    if (protocol !== SUBPROTOCOL && protocol !== undefined) this.#plain()
    this.ask()
  }

  /** The socket is gone. */
  end(): void {
    this.#link = { dialect: 'undecided' }
    this.#ledger.end()
  }

  /** Asks the server for what it has and we don't. */
  ask(): void {
    this.#send({ type: 'syncStep1', stateVector: encodeStateVector(this.#doc) })
  }

  /** The document changed by anything but this exchange. */
  edited(update: Uint8Array): void {
    const link = this.#link
    if (link.dialect === 'plain' || (link.dialect === 'inkwire' && link.answered))
      this.#offer('update', update)
    else this.#ledger.hold(this.#host.now())
  }

  /** The document's content is now known to be of a generation. */
  bind(generation: string): void {
    if (this.generation !== null) return
    this.generation = generation
    this.#host.tell('generation', generation)
  }

  /** One message from the server. */
  received(bytes: Uint8Array): void {
    let message: Message
    try {
      message = decodeMessage(bytes)
    } catch (error) {
      // Other servers may have messages of their own kind; one that greeted has no excuse.
      if (this.#link.dialect === 'inkwire') this.#host.drop(Code.badMessage)
      else report(error)
      return
    }
    if (this.#link.dialect === 'undecided') {
      if (message.type === 'hello') {
        this.#greeted(message)
        return
      }
      this.#plain()
    }
    this.#act(message)
  }

  #plain(): void {
    this.#link = { dialect: 'plain' }
    this.#ledger.begin(null)
  }

  #greeted(hello: Hello): void {
    const { generation } = this
    if (generation !== null && generation !== hello.generation) {
      // Before anything is merged (PROTOCOL X2).
      this.#host.step({ type: 'refused', code: Code.generationChanged, reason: 'generation-changed' })
      return
    }
    this.#link = { dialect: 'inkwire', hello, answered: false, proof: 0 }
    this.#ledger.begin(hello.durability)
    this.access = hello.access
    this.#host.tell('access', hello.access)
    if (generation !== null) this.#send({ type: 'join', generation, seq: 0 })
  }

  #act(message: Message): void {
    switch (message.type) {
      case 'syncStep1':
        this.#offer('syncStep2', encodeStateAsUpdate(this.#doc, message.stateVector))
        break
      case 'syncStep2':
      case 'update':
        this.#apply(message)
        break
      case 'awareness':
        this.#host.present(message.update)
        break
      case 'queryAwareness':
        this.#send({ type: 'awareness', update: this.#host.presence() })
        break
      case 'permissionDenied':
        this.#host.tell('permission-denied', message.reason)
        break
      case 'ack':
        this.#acknowledged(message.received, message.durable)
        break
      case 'rejection':
        this.#refused(message)
        break
      default:
        // A hello out of turn changes nothing; nor does what only clients send.
        break
    }
  }

  #apply({ type, update }: Extract<Message, { readonly type: 'syncStep2' | 'update' }>): void {
    const link = this.#link
    try {
      applyUpdate(this.#doc, update, this.#origin)
    } catch (error) {
      // Malformed, or an observer of the app threw; Yjs doesn't let us tell.
      report(error)
    }
    // An observer may have ended the connection.
    if (this.#link !== link) return
    this.#witness(type, update)
    if (type === 'syncStep2') this.#host.step({ type: 'synced' })
  }

  /**
   * What an update from the server proves about the document's generation. A document without history may
   * still change its generation (PROTOCOL X2), and updates are passed on before they are durable: one that
   * is lost with the server must not bind us to a generation that never was. So an ack is asked for, which
   * says that all that came before it is durable.
   */
  #witness(type: 'syncStep2' | 'update', update: Uint8Array): void {
    const link = this.#link
    if (link.dialect !== 'inkwire' || this.generation !== null) return
    const { seq, access, generation } = link.hello
    // A reader's messages are refused; but it has no edits to lose by a needless stop.
    if (seq > 0 ? type === 'syncStep2' : access === 'read' && !isEmptyUpdate(update)) this.bind(generation)
    else if (seq === 0 && link.answered && link.proof === 0 && !isEmptyUpdate(update)) {
      this.#ledger.sendProbe(EMPTY_UPDATE)
      link.proof = this.#ledger.sent
      this.#send({ type: 'update', update: EMPTY_UPDATE })
    }
  }

  #acknowledged(received: number, durable: number): void {
    const link = this.#link
    this.#ledger.ack(received, durable)
    if (link.dialect === 'inkwire' && link.proof > 0 && durable >= link.proof)
      this.bind(link.hello.generation)
  }

  #refused({ message, code, reason }: Rejection): void {
    const link = this.#link
    if (link.dialect !== 'inkwire') return
    if (link.proof === message) link.proof = 0
    const again = !isPermanent(code) && code !== Code.tooBig
    const sent = this.#ledger.reject(message, again)
    const { update = null, count: edits = 0 } = sent ?? {}
    // A reader's sync step 2 is refused, too; without edits in it, that is no news to anybody.
    if (sent && edits === 0) return
    const retried = again && edits > 0
    this.#host.tell('rejected', { code, reason, update, edits, retried })
    // The sync step 2 of the next connection offers them again, after a backoff.
    if (retried) this.#host.step({ type: 'lost' })
  }

  /** Sends an edit, or all that the server lacks. */
  #offer(type: 'syncStep2' | 'update', update: Uint8Array): void {
    const link = this.#link
    const now = this.#host.now()
    const bytes = encodeMessage({ type, update })
    // The server would close the connection, and meet the same message on the next one, for ever.
    const fits = link.dialect !== 'inkwire' || bytes.length <= link.hello.maxMessageBytes
    const edits =
      type === 'update' ? this.#ledger.sendEdit(update, now, fits) : this.#ledger.sendAll(update, now, fits)
    if (link.dialect === 'inkwire') {
      if (type === 'syncStep2') link.answered = true
      if (fits && link.proof === 0 && this.#doc.store.clients.size > 0) link.proof = this.#ledger.sent
    }
    if (fits) this.#host.send(bytes)
    else if (edits > 0) {
      const reason = 'larger than the server takes in one message'
      this.#host.tell('rejected', { code: Code.tooBig, reason, update, edits, retried: false })
    }
  }

  #send(message: Message): void {
    this.#host.send(encodeMessage(message))
  }
}
