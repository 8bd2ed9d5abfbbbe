import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { decodeMessage, decodeTrunkMessage, encodeMessage, encodeTrunkMessage } from '../../shared/codec.js'
import { type Message, SHARED_SUBPROTOCOL, type TrunkMessage } from '../../shared/messages.js'
import { until } from './until.js'

/** One document on a {@link SharedRaw}. */
export interface RawChannel {
  readonly number: number
  /** All messages so far, in order. */
  readonly heard: Message[]
  send(message: Message): void
  sendBytes(bytes: Uint8Array): void
  /** The first message of a type, from now or before. */
  first<T extends Message['type']>(type: T): Promise<Extract<Message, { type: T }>>
  all<T extends Message['type']>(type: T): Extract<Message, { type: T }>[]
  /** Ends it from this side (PROTOCOL X14). */
  end(): void
  /** How the server ended it. */
  readonly ended: Promise<{ code: number; reason: string }>
}

/** A bare shared connection (PROTOCOL X11), which remembers everything it heard. */
export interface SharedRaw {
  readonly socket: WebSocket
  /** What the server said beside the documents' messages, markers left out. */
  readonly said: TrunkMessage[]
  /** How many markers came. */
  readonly markers: () => number
  open(target: string, options?: { readonly extended?: boolean; readonly number?: number }): RawChannel
  say(message: TrunkMessage): void
  sendBytes(bytes: Uint8Array | string): void
  readonly closed: Promise<{ code: number; reason: string }>
}

/** Connects and waits for the greeting. */
export const connectShared = async (
  url: string,
  headers: { readonly [name: string]: string } = {},
): Promise<SharedRaw> => {
  const socket = new WebSocket(url, [SHARED_SUBPROTOCOL], { headers })
  onTestFinished(() => socket.terminate())
  const said: TrunkMessage[] = []
  const channels = new Map<number, Message[]>()
  let [last, from, to, markers] = [0, 0, 0, 0]
  socket.on('message', (data: Buffer) => {
    const message = decodeTrunkMessage(new Uint8Array(data))
    if (message?.type === 'channel') {
      markers++
      from = message.channel
    } else if (message) said.push(message)
    else channels.get(from)?.push(decodeMessage(new Uint8Array(data)))
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  const say = (message: TrunkMessage): void => socket.send(encodeTrunkMessage(message))
  const open: SharedRaw['open'] = (target, { extended = true, number = last + 1 } = {}) => {
    const heard: Message[] = []
    last = number
    channels.set(number, heard)
    say({ type: 'open', channel: number, extended, target })
    to = number
    const sendBytes = (bytes: Uint8Array): void => {
      if (to !== number) say({ type: 'channel', channel: number })
      to = number
      socket.send(bytes)
    }
    const all = <T extends Message['type']>(type: T): Extract<Message, { type: T }>[] =>
      heard.filter((each): each is Extract<Message, { type: T }> => each.type === type)
    return {
      number,
      heard,
      send: (message) => sendBytes(encodeMessage(message)),
      sendBytes,
      first: (type) => until(`a ${type} arrives`, () => all(type)[0]),
      all,
      end: () => say({ type: 'end', channel: number, code: 1000, reason: '' }),
      get ended() {
        return until(`channel ${number} ends`, () => {
          for (const each of said) if (each.type === 'end' && each.channel === number) return each
          return undefined
        })
      },
    }
  }
  const raw = { socket, said, markers: () => markers, open, say, closed }
  return { ...raw, sendBytes: (bytes) => socket.send(bytes) }
}
