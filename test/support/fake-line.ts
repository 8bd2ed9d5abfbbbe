import { afterEach, beforeEach, expect, vi } from 'vitest'
import * as Y from 'yjs'
import { type InkwireOptions, InkwireProvider } from '../../client/index.js'
import { shared } from '../../client/shared/index.js'
import { decodeMessage, decodeTrunkMessage, encodeTrunkMessage } from '../../shared/codec.js'
import type { Message, TrunkMessage } from '../../shared/messages.js'
import { FakeEnd, greeting } from './fake-socket.js'

/** A shared WebSocket whose other end is the test. */
export class FakeLine extends FakeEnd<Message | TrunkMessage> {
  static made: FakeLine[] = []

  constructor(url: string, protocols?: string[]) {
    super(url, protocols)
    if (/bad/.test(url)) throw new SyntaxError('no URL')
    FakeLine.made.push(this)
  }

  protected read(data: Uint8Array): Message | TrunkMessage {
    return decodeTrunkMessage(data) ?? decodeMessage(data)
  }

  /** Opens as a server does that has shared connections. */
  greet(channels = 10): this {
    this.open()
    this.say({ type: 'shared', channels })
    return this
  }

  say(...messages: TrunkMessage[]): void {
    for (const each of messages) this.arrive(encodeTrunkMessage(each))
  }

  /** Answers on a channel as a server does to a client that is let in. */
  welcome(channel: number): void {
    this.say({ type: 'channel', channel })
    this.hear(...greeting)
  }

  /** What was opened, in order. */
  get opened(): string[] {
    return this.sent.flatMap((each) => (each.type === 'open' ? [each.target] : []))
  }
}

/** The server of the present test: lines live as long as the page, so each test has one of its own. */
export let url = ''
let servers = 0
const undo: (() => void)[] = []

/** A provider over the shared {@link FakeLine} of a server. */
export const create = (name = 'doc', options: InkwireOptions = {}, server = url) => {
  const doc = new Y.Doc()
  undo.push(() => doc.destroy())
  const provider = new InkwireProvider(server, name, doc, {
    WebSocketPolyfill: FakeLine,
    connection: shared,
    disableBc: true,
    ...options,
  })
  undo.unshift(() => provider.destroy())
  return { provider, doc, text: doc.getText('t') }
}

/** One that was made, the newest by default. */
export const made = (index = -1): FakeLine => {
  const one = FakeLine.made.at(index)
  if (!one) throw new Error('no socket was made')
  return one
}

/** Until all that is to happen now has happened. */
export const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

/** For a file of tests with {@link create}: a faked clock, no lines at first, and no timer left at the end. */
export const withFakeLines = (): void => {
  beforeEach(() => {
    vi.useFakeTimers()
    FakeLine.made = []
    url = `ws://h${++servers}`
  })
  afterEach(async () => {
    for (const step of undo.splice(0)) step()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })
}
