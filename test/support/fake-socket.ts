import { afterEach, beforeEach, expect, vi } from 'vitest'
import * as Y from 'yjs'
import { type InkwireOptions, InkwireProvider, type WebSocketLike } from '../../client/index.js'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'

/** The generation of the document at the other end. */
export const G = 'a'.repeat(32)
/** What a server says first, and then {@link step1} and {@link step2}. */
export const hello: Message = {
  type: 'hello',
  generation: G,
  seq: 1,
  access: 'write',
  durability: 'fsync',
  maxMessageBytes: 1 << 20,
}
export const step1: Message = { type: 'syncStep1', stateVector: Uint8Array.of(0) }
export const step2: Message = { type: 'syncStep2', update: Uint8Array.of(0, 0) }
/** All that it says until the client is synced and everything is saved. */
export const greeting: readonly Message[] = [hello, step1, step2, { type: 'ack', received: 1, durable: 1 }]

/** A WebSocket whose other end is the test; a subclass says how to read what was sent. */
export abstract class FakeEnd<Sent> implements WebSocketLike {
  binaryType = 'blob'
  readyState = 0
  protocol = ''
  bufferedAmount = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly sent: Sent[] = []

  constructor(
    readonly url: string,
    readonly protocols: string[] = [],
  ) {}

  protected abstract read(data: Uint8Array): Sent

  send(data: Uint8Array): void {
    this.sent.push(this.read(data))
  }

  close(): void {
    this.readyState = 3
  }

  open(protocol = this.protocols.at(-1) ?? ''): void {
    this.readyState = 1
    this.protocol = protocol
    this.onopen?.({} as never)
  }

  hear(...messages: Message[]): void {
    for (const message of messages) this.arrive(encodeMessage(message))
  }

  lose(code = 1006, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason } as never)
  }

  protected arrive(bytes: Uint8Array): void {
    this.onmessage?.({ data: bytes.slice().buffer } as never)
  }
}

/** One document's WebSocket. */
export class FakeSocket extends FakeEnd<Message> {
  static made: FakeSocket[] = []

  constructor(url: string, protocols?: string[]) {
    super(url, protocols)
    FakeSocket.made.push(this)
  }

  protected read(data: Uint8Array): Message {
    return decodeMessage(data)
  }
}

/** What is to be undone when a test has ended. */
export const undo: (() => void)[] = []

/** A provider over {@link FakeSocket}s, its document, and what it tells. */
export const create = (options: InkwireOptions = {}, doc = new Y.Doc()) => {
  const provider = new InkwireProvider('ws://h/', 'doc', doc, { WebSocketPolyfill: FakeSocket, ...options })
  const events: unknown[][] = []
  for (const name of ['status', 'sync', 'closed', 'save', 'access', 'connection-close'] as const) {
    provider.on(name, (first: unknown) => void events.push([name, first]))
  }
  undo.push(
    () => provider.destroy(),
    () => doc.destroy(),
  )
  return { provider, doc, text: doc.getText('t'), events }
}

/** The newest socket. */
export const socket = (): FakeSocket => {
  const last = FakeSocket.made.at(-1)
  if (!last) throw new Error('no socket was made')
  return last
}

/** Opens the newest socket and greets until the provider is synced and all is saved. */
export const goLive = (): FakeSocket => {
  const one = socket()
  one.open()
  one.hear(...greeting)
  return one
}

/** For a file of tests with {@link create}: a faked clock, no sockets at first, and no timer left at the end. */
export const withFakeSockets = (): void => {
  beforeEach(() => {
    vi.useFakeTimers()
    FakeSocket.made = []
  })
  afterEach(() => {
    for (const step of undo.splice(0)) step()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })
}
