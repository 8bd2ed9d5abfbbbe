/**
 * Abusers of every kind, in a process of their own: `node abusers.mjs ws://… SECONDS COUNT [KIND]`. They share documents
 * `shared-0` … `shared-4` with honest editors, whose client ids are 1 to 20. Prints what they did, as JSON.
 */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'

const [base = '', seconds = '5', count = '50', only] = process.argv.slice(2)
const { port } = new URL(base)
const end = performance.now() + Number(seconds) * 1000
const going = () => performance.now() < end
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const below = (limit) => Math.floor(Math.random() * limit)
const encode = (...numbers) =>
  encoding.encode((encoder) => {
    for (const each of numbers) encoding.writeVarUint(encoder, each)
  })
const join = (...parts) => Buffer.concat(parts)
const inBytes = (bytes) => join(encode(bytes.length), bytes)
const updateMessage = (update) => join(encode(0, 2), inBytes(update))
const awareness = (update) => join(encode(1), inBytes(update))

const done = { connections: 0, messages: 0, bytes: 0, closed: {} }

/** Connects; what it is closed with is counted. Resolves with null where there is no getting in. */
const open = (document, reads = true, protocols = []) =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${base}/${document}`, protocols, { perMessageDeflate: false })
    done.connections++
    socket.on('error', () => resolve(null))
    socket.on('open', () => {
      if (!reads) socket.pause()
      resolve(socket)
    })
    socket.on('message', () => undefined)
    socket.on('close', (code) => {
      done.closed[code] = (done.closed[code] ?? 0) + 1
      resolve(null)
    })
  })

const send = (socket, bytes) => {
  done.messages++
  done.bytes += bytes.length
  socket.send(bytes)
}

/** Room in the socket's buffer, or the end. */
const room = async (socket) => {
  while (going() && socket.readyState === WebSocket.OPEN && socket.bufferedAmount > 1_000_000) await pause(2)
  return going() && socket.readyState === WebSocket.OPEN
}

const left = async (socket) => {
  for (let i = 0; i < 400 && socket.readyState === WebSocket.OPEN; i++) await pause(5)
  socket.terminate()
}

/** Connects again and again, each time to send one bad thing. */
const again = (make) => async (document) => {
  while (going()) {
    const socket = await open(document)
    if (socket) {
      send(socket, make())
      await left(socket)
    }
    await pause(5)
  }
}

/** Sends as fast as the socket takes it, and comes back when it is thrown out. */
const pour =
  (make, { reads = true, many = 500 } = {}) =>
  async (document) => {
    while (going()) {
      const socket = await open(document, reads)
      if (!socket) {
        await pause(20)
        continue
      }
      const next = make()
      while (await room(socket)) {
        for (let i = 0; i < many; i++) send(socket, next())
        await pause(0)
      }
      socket.terminate()
      await pause(20)
    }
  }

const deleteBomb = updateMessage(
  join(encode(0, 1, 7, 400_000), Buffer.concat(Array.from({ length: 400_000 }, (_, i) => encode(i * 2, 1)))),
)
const nestingBomb = updateMessage(
  join(
    encode(1, 1, 7, 0, 8, 1, 1),
    Buffer.from('a'),
    encode(1),
    Buffer.alloc(200_000, Buffer.of(117, 1)),
    Buffer.of(126, 0),
  ),
)
const fakes = awareness(
  join(
    encode(5000),
    ...Array.from({ length: 5000 }, (_, i) => join(encode(1000 + i, 1), inBytes(Buffer.from('{}')))),
  ),
)

const KINDS = {
  garbage: again(() => randomBytes(1 + below(2000))),
  'struct bomb': again(() => updateMessage(Buffer.from('01ffffff0f0100', 'hex'))),
  'delete bomb': again(() => deleteBomb),
  'nesting bomb': again(() => nestingBomb),
  'forged clocks': again(() =>
    updateMessage(join(encode(1, 1, 1 + below(20), below(100_000), 0, 1_000_000), encode(0))),
  ),
  'endless clocks': again(() => updateMessage(join(encode(1, 1, 1 + below(20), 0, 0, 2 ** 50), encode(0)))),
  'text frames': again(() => 'hello'),
  'huge message': again(() => Buffer.alloc(17 * 2 ** 20)),
  'flood of edits': pour(() => {
    const id = 2 ** 31 + below(2 ** 30)
    let clock = 0
    return () =>
      updateMessage(
        join(
          encode(1, 1, id, clock++),
          Buffer.of(4, 1, 4),
          Buffer.from('text'),
          inBytes(Buffer.from('x')),
          encode(0),
        ),
      )
  }),
  'flood of gaps': pour(() => {
    const id = 2 ** 31 + below(2 ** 30)
    let clock = 5
    return () => {
      clock += 3
      return updateMessage(join(encode(1, 1, id, clock, 0, 1), encode(0)))
    }
  }),
  'flood of presence': pour(() => {
    const id = 2 ** 31 + below(2 ** 30)
    let clock = 1
    return () => awareness(join(encode(1, id, clock++), inBytes(Buffer.from(`{"cursor":${clock}}`))))
  }),
  'fake people': pour(() => () => fakes, { many: 5 }),
  'large presence': pour(
    () => {
      let clock = 1
      return () =>
        awareness(join(encode(1, 5_000_000, clock++), inBytes(Buffer.from(`"${'x'.repeat(16_000)}"`))))
    },
    { many: 20 },
  ),
  'flood of questions': pour(() => () => Buffer.from('00000100', 'hex'), { many: 200 }),
  'odd questions': pour(
    () => () => join(encode(0, 0), inBytes(encode(2, below(2 ** 30), 5, below(2 ** 30), 7))),
    { many: 200 },
  ),
  'asks and never reads': pour(
    () => () => (Math.random() < 0.5 ? Buffer.of(3) : Buffer.from('00000100', 'hex')),
    { reads: false, many: 200 },
  ),
  'never reads': async (document) => {
    const socket = await open(document, false)
    while (going()) await pause(100)
    socket?.terminate()
  },
  'many connections': async (document) => {
    while (going()) {
      const sockets = await Promise.all(Array.from({ length: 10 }, (_, i) => open(`${document}-${i}`)))
      for (const socket of sockets) socket?.terminate()
      await pause(5)
    }
  },
  'impossible names': async () => {
    while (going()) {
      const socket = await open(['', '%ff', 'n'.repeat(2000)][below(3)] ?? '')
      if (socket) await left(socket)
      await pause(5)
    }
  },
  'silent handshakes': async () => {
    const sockets = Array.from({ length: 50 }, () => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write('GET /x HTTP/1.1\r\nHost: x\r\n')
      done.connections++
      return socket
    })
    while (going()) await pause(100)
    for (const socket of sockets) socket.destroy()
  },
  'flood of pings': async (document) => {
    while (going()) {
      const socket = await open(document, false)
      while (socket && (await room(socket))) {
        for (let i = 0; i < 200; i++) socket.ping('x'.repeat(100))
        await pause(0)
      }
      socket?.terminate()
      await pause(20)
    }
  },
  'channels without end': async (document) => {
    const name = inBytes(Buffer.from(document))
    while (going()) {
      const socket = await open('', Math.random() < 0.5, ['inkwire.shared.1'])
      let channel = 0
      while (socket && (await room(socket))) {
        for (let i = 0; i < 100; i++) {
          // Opened (PROTOCOL X12), asked for everything, ended (X14), and now and then somebody else's turn (X13).
          send(
            socket,
            join(encode(120, 9, ++channel, below(2)), below(4) > 0 ? name : inBytes(Buffer.from('%'))),
          )
          send(socket, Buffer.of(0, 0, 1, 0))
          if (below(2) === 0) send(socket, encode(120, 11, channel, 1000, 0))
          send(socket, encode(120, 10, 1 + below(channel)))
        }
        await pause(0)
      }
      socket?.terminate()
      await pause(20)
    }
  },
  'tiny fragments': async (document) => {
    while (going()) {
      const socket = await open(document)
      while (socket && (await room(socket))) {
        for (let i = 0; i < 200; i++) socket.send(Buffer.of(0), { fin: false })
        await pause(0)
      }
      socket?.terminate()
      await pause(20)
    }
  },
}

const kinds = Object.entries(KINDS).filter(([kind]) => only === undefined || only === kind)
await Promise.all(
  Array.from({ length: Number(count) }, (_, i) => kinds[i % kinds.length]?.[1](`shared-${i % 5}`)),
)
process.stdout.write(`${JSON.stringify({ kinds: kinds.length, ...done })}\n`)
process.exit(0)
