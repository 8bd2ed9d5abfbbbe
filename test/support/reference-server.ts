import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDecoder, readVarUint, readVarUint8Array } from 'lib0/decoding'
import { createEncoder, length, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import { Doc } from 'yjs'

/**
 * A server as y-websocket users run it, made of nothing but y-protocols and `ws`: one Y.Doc per path, the
 * path not decoded, every update and presence sent to every client, its author included. It knows nothing
 * of Inkwire and selects the first subprotocol that is offered, as `ws` does by default.
 */
export interface ReferenceServer {
  readonly url: string
  /** A room's document, by the path after the slash. */
  doc(path: string): Doc
  /** Paths that were asked for, queries included, in order. */
  readonly requests: readonly string[]
  /** Breaks all connections, as a lost network would. */
  drop(): void
  /** Closes all connections with a code. */
  closeAll(code: number, reason: string): void
  close(): Promise<void>
}

/** How the server deals with offered subprotocols: `first` selects the first one, `refuse` answers 400 to any offer. */
export interface ReferenceOptions {
  readonly subprotocols?: 'first' | 'refuse'
  /** Default: a free one. */
  readonly port?: number
}

const SYNC = 0
const AWARENESS = 1

class Room {
  readonly doc = new Doc()
  readonly awareness = new Awareness(this.doc)
  readonly members = new Map<WebSocket, Set<number>>()

  constructor() {
    this.awareness.setLocalState(null)
    this.doc.on('update', (update: Uint8Array) => {
      this.#broadcast((encoder) => {
        writeVarUint(encoder, SYNC)
        writeUpdate(encoder, update)
      })
    })
    this.awareness.on(
      'update',
      (changes: { added: number[]; updated: number[]; removed: number[] }, origin: unknown) => {
        const controlled = this.members.get(origin as WebSocket)
        for (const id of changes.added) controlled?.add(id)
        for (const id of changes.removed) controlled?.delete(id)
        const ids = [...changes.added, ...changes.updated, ...changes.removed]
        this.#broadcast((encoder) => {
          writeVarUint(encoder, AWARENESS)
          writeVarUint8Array(encoder, encodeAwarenessUpdate(this.awareness, ids))
        })
      },
    )
  }

  join(socket: WebSocket): void {
    this.members.set(socket, new Set())
    socket.on('message', (data: Buffer) => this.#receive(socket, new Uint8Array(data)))
    socket.on('close', () => {
      const controlled = this.members.get(socket)
      this.members.delete(socket)
      removeAwarenessStates(this.awareness, [...(controlled ?? [])], null)
    })
    send(socket, (encoder) => {
      writeVarUint(encoder, SYNC)
      writeSyncStep1(encoder, this.doc)
    })
    const ids = [...this.awareness.getStates().keys()]
    if (ids.length === 0) return
    send(socket, (encoder) => {
      writeVarUint(encoder, AWARENESS)
      writeVarUint8Array(encoder, encodeAwarenessUpdate(this.awareness, ids))
    })
  }

  destroy(): void {
    this.awareness.destroy()
    this.doc.destroy()
  }

  #receive(socket: WebSocket, data: Uint8Array): void {
    const decoder = createDecoder(data)
    const type = readVarUint(decoder)
    if (type === AWARENESS) applyAwarenessUpdate(this.awareness, readVarUint8Array(decoder), socket)
    if (type !== SYNC) return
    const encoder = createEncoder()
    writeVarUint(encoder, SYNC)
    readSyncMessage(decoder, encoder, this.doc, socket)
    if (length(encoder) > 1) socket.send(toUint8Array(encoder))
  }

  #broadcast(write: (encoder: ReturnType<typeof createEncoder>) => void): void {
    for (const socket of this.members.keys()) send(socket, write)
  }
}

const send = (socket: WebSocket, write: (encoder: ReturnType<typeof createEncoder>) => void): void => {
  const encoder = createEncoder()
  write(encoder)
  socket.send(toUint8Array(encoder))
}

/** Starts a reference server on 127.0.0.1. */
export const startReferenceServer = async (options: ReferenceOptions = {}): Promise<ReferenceServer> => {
  const rooms = new Map<string, Room>()
  const requests: string[] = []
  const room = (path: string): Room => {
    const known = rooms.get(path) ?? new Room()
    rooms.set(path, known)
    return known
  }
  const http = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    const url = (request.url ?? '').slice(1)
    requests.push(url)
    if (options.subprotocols === 'refuse' && request.headers['sec-websocket-protocol']) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => room(url.split('?')[0] ?? '').join(client))
  })
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve))
  const drop = (): void => {
    for (const client of sockets.clients) client.terminate()
  }
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    doc: (path) => room(path).doc,
    requests,
    drop,
    closeAll: (code, reason) => {
      for (const client of sockets.clients) client.close(code, reason)
    },
    close: async () => {
      drop()
      for (const open of rooms.values()) open.destroy()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
