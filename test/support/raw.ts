import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'
import { until } from './until.js'

/** A bare connection that speaks in messages or bytes, and remembers everything it heard. */
export interface Raw {
  readonly socket: WebSocket
  /** All messages so far, in order. */
  readonly heard: Message[]
  send(message: Message): void
  sendBytes(bytes: Uint8Array | string): void
  /** The first message of a type, from now or before. */
  first<T extends Message['type']>(type: T): Promise<Extract<Message, { type: T }>>
  all<T extends Message['type']>(type: T): Extract<Message, { type: T }>[]
  /** How the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>
}

/** Connects and waits for the socket to open. */
export const connectRaw = async (url: string, protocols: string[] = []): Promise<Raw> => {
  const socket = new WebSocket(url, protocols)
  onTestFinished(() => socket.terminate())
  const heard: Message[] = []
  socket.on('message', (data: Buffer) => void heard.push(decodeMessage(new Uint8Array(data))))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  const all = <T extends Message['type']>(type: T): Extract<Message, { type: T }>[] =>
    heard.filter((each): each is Extract<Message, { type: T }> => each.type === type)
  return {
    socket,
    heard,
    send: (message) => socket.send(encodeMessage(message)),
    sendBytes: (bytes) => socket.send(bytes),
    first: (type) => until(`a ${type} arrives`, () => all(type)[0]),
    all,
    closed,
  }
}
