/**
 * What Node's sockets cost, their streams included, and nothing else: reads what comes, and writes all of it to
 * everybody in a room, the first at once and then every 30 ms, or 46 if there is nothing but presence, as Inkwire does
 * with many readers. It checks nothing, stores nothing, knows no protocol but what it takes to be understood: no server
 * that reads each message when it comes, and writes so often through these streams, can need less.
 */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const WINDOW_MS = 30
const PRESENCE_WINDOW_MS = 46
/** Type of a message: presence. */
const PRESENCE = 1
const NOTHING = Buffer.of(0x82, 5, 0, 1, 2, 0, 0)

class Room {
  #sockets = new Set()
  #frames = []
  #last = 0
  #due = Number.POSITIVE_INFINITY
  #timer

  add(socket) {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy())
  }

  pass(frame, isPresence) {
    this.#frames.push(frame)
    const due = this.#last + (isPresence ? PRESENCE_WINDOW_MS : WINDOW_MS)
    if (due >= this.#due) return
    this.#due = due
    clearTimeout(this.#timer)
    const wait = due - performance.now()
    if (wait < 1) setImmediate(() => this.#flush())
    else this.#timer = setTimeout(() => this.#flush(), wait)
  }

  #flush() {
    this.#last = performance.now()
    this.#due = Number.POSITIVE_INFINITY
    const all = Buffer.concat(this.#frames)
    this.#frames = []
    for (const socket of this.#sockets) socket.write(all)
  }
}

const rooms = new Map()
const http = createServer()
http.on('upgrade', ({ url, headers }, socket) => {
  const room = rooms.get(url) ?? new Room()
  rooms.set(url, room)
  const accept = createHash('sha1')
    .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  socket.setNoDelay(true)
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  room.add(socket)
  let rest = null
  socket.on('data', (chunk) => {
    let bytes = rest ? Buffer.concat([rest, chunk]) : chunk
    for (let size = frameSize(bytes); size > 0 && size <= bytes.length; size = frameSize(bytes)) {
      receive(room, socket, bytes.subarray(0, size))
      bytes = bytes.subarray(size)
    }
    rest = bytes.length > 0 ? bytes : null
  })
})
http.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${http.address().port}`))

/** Bytes of the (masked) frame at the beginning; 0 if that isn't known yet. */
const frameSize = (bytes) => {
  if (bytes.length < 4) return 0
  const length = bytes[1] & 127
  return length < 126 ? length + 6 : bytes.readUInt16BE(2) + 8
}

const receive = (room, socket, frame) => {
  const opcode = frame[0] & 15
  if (opcode !== 2) {
    if (opcode === 8) socket.end()
    return
  }
  const from = (frame[1] & 127) < 126 ? 6 : 8
  const head = from - 4
  const passed = Buffer.allocUnsafe(frame.length - 4)
  frame.copy(passed, 0, 0, head)
  passed[1] &= 127
  for (let i = from; i < frame.length; i++) passed[i - 4] = frame[i] ^ frame[head + ((i - from) & 3)]
  // A sync step 1 is for the server alone; so that a client is synced at once, it is told that there is nothing.
  if (passed[head] === 0 && passed[head + 1] === 0) socket.write(NOTHING)
  else room.pass(passed, passed[head] === PRESENCE)
}
