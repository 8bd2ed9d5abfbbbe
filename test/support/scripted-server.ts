import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector } from 'yjs'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import { type Hello, type Message, SUBPROTOCOL } from '../../shared/messages.js'

/**
 * What one connection to a {@link ScriptedServer} goes through, in order; a test may end it at any of these.
 * `durable` lies between the commit and its ack.
 */
export type Point = 'upgraded' | 'greeted' | 'asked' | 'told' | 'received' | 'acked' | 'durable' | 'confirmed'

/** How the server behaves. All may be changed at any time. */
export interface Script {
  hello: Partial<Hello>
  /** Refuses update messages with this code (PROTOCOL X5). */
  rejectWith: number | null
  /** Called at each point; closes the connection at once when it returns true. */
  cutAt: (point: Point) => boolean
  /** Whether to acknowledge at all. */
  acks: boolean
}

/** An `inkwire.1` server of one document that does what a test says, over real sockets. */
export interface ScriptedServer {
  readonly url: string
  readonly script: Script
  /** What is durable: it outlives a crash. */
  readonly disk: Doc
  /** Messages from clients, in order. */
  readonly heard: readonly Message[]
  /** How many there were ever, to a document. */
  readonly connections: () => number
  /** How many there are now. */
  readonly open: () => number
  /** Sends a message to all clients. */
  say(message: Message): void
  /** Closes all connections with a code. */
  closeAll(code: number, reason?: string): void
  close(): Promise<void>
}

const GENERATION = '0123456789abcdef'.repeat(2)

/** Starts a scripted server on 127.0.0.1. */
export const startScriptedServer = async (initial: Partial<Script> = {}): Promise<ScriptedServer> => {
  const script: Script = { hello: {}, rejectWith: null, cutAt: () => false, acks: true, ...initial }
  const disk = new Doc()
  const heard: Message[] = []
  let connections = 0
  const wss = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
  await once(wss, 'listening')

  const serve = (socket: WebSocket, { url }: IncomingMessage): void => {
    if (url === '/') {
      // As a server does that knows of no shared connections.
      socket.close(4404, 'the document name is empty')
      return
    }
    connections++
    // What is not durable dies with the connection, as with a server that is killed.
    const room = new Doc()
    applyUpdate(room, encodeStateAsUpdate(disk))
    let received = 0
    const send = (message: Message): void => socket.send(encodeMessage(message))
    const reach = (point: Point): boolean => {
      if (socket.readyState !== socket.OPEN) return false
      if (!script.cutAt(point)) return true
      socket.terminate()
      return false
    }
    const hello = (): Message => ({
      type: 'hello',
      generation: GENERATION,
      seq: disk.store.clients.size,
      access: 'write',
      durability: 'fsync',
      maxMessageBytes: 16 * 1024 * 1024,
      ...script.hello,
    })
    const take = (update: Uint8Array): void => {
      if (!reach('received')) return
      received++
      if (script.rejectWith !== null) {
        send({ type: 'rejection', message: received, code: script.rejectWith, reason: 'refused' })
      } else applyUpdate(room, update)
      if (!script.acks) return
      send({ type: 'ack', received, durable: received - 1 })
      if (!reach('acked')) return
      applyUpdate(disk, encodeStateAsUpdate(room))
      if (!reach('durable')) return
      send({ type: 'ack', received, durable: received })
      reach('confirmed')
    }
    socket.on('message', (data: Buffer) => {
      const message = decodeMessage(new Uint8Array(data))
      heard.push(message)
      if (message.type === 'syncStep1') {
        send({ type: 'syncStep2', update: encodeStateAsUpdate(room, message.stateVector) })
        reach('told')
      } else if (message.type === 'syncStep2' || message.type === 'update') take(message.update)
    })
    if (!reach('upgraded')) return
    send(hello())
    if (!reach('greeted')) return
    send({ type: 'syncStep1', stateVector: encodeStateVector(room) })
    reach('asked')
  }
  wss.on('connection', serve)

  return {
    url: `ws://127.0.0.1:${(wss.address() as AddressInfo).port}`,
    script,
    disk,
    heard,
    connections: () => connections,
    open: () => wss.clients.size,
    say: (message) => {
      for (const client of wss.clients) client.send(encodeMessage(message))
    },
    closeAll: (code, reason) => {
      for (const client of wss.clients) client.close(code, reason)
    },
    close: async () => {
      for (const client of wss.clients) client.terminate()
      await new Promise((resolve) => wss.close(resolve))
    },
  }
}
