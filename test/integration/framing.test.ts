import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import { metric, startServer } from '../support/inkwire.js'
import { until } from '../support/until.js'
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  type FrameOptions,
  frameOf,
  openWire,
  PING,
  PONG,
  TEXT,
  type Wire,
} from '../support/wire.js'

const STEP1 = encodeMessage({ type: 'syncStep1', stateVector: Uint8Array.of(0) })

/** More than the socket buffers of both sides take, bytes. */
const LARGE = 16 * 2 ** 20

const answers = (wire: Wire): number =>
  wire.frames.filter(
    ({ opcode, payload }) => opcode === BINARY && decodeMessage(payload).type === 'syncStep2',
  ).length

const answered = (wire: Wire, times = 1): Promise<unknown> =>
  until(`${times} answers arrive`, () => answers(wire) >= times)

/** It still speaks. */
const alive = async (wire: Wire): Promise<void> => {
  const before = answers(wire)
  wire.write(frameOf(STEP1))
  await answered(wire, before + 1)
}

describe('framing (RFC 6455), byte by byte', () => {
  it('§5.4: a large answer is one frame; pings that come meanwhile are answered before or after it', async () => {
    const { ws, url, server } = await startServer()
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'x'.repeat(LARGE))
    await server.documents.merge('doc', Y.encodeStateAsUpdate(doc))
    const wire = await openWire(`${ws}/doc`)
    wire.write(frameOf(STEP1), ...Array.from({ length: 20 }, (_, i) => frameOf(`${i}`, { opcode: PING })))
    // More than the kernel holds, and nobody reads: it stands in the middle of the answer.
    wire.socket.pause()
    await expect.poll(() => metric({ url }, 'inkwire_sent_bytes_total')).toBeGreaterThan(2 ** 20)
    wire.write(frameOf('late', { opcode: PING }))
    wire.socket.resume()
    await answered(wire)
    const large = wire.frames.find(({ payload }) => payload.length > 2 ** 20)
    const joined = new Y.Doc()
    const message = large && decodeMessage(large.payload)
    if (message?.type === 'syncStep2' || message?.type === 'update') Y.applyUpdate(joined, message.update)
    expect(joined.getText('t').length).toBe(LARGE)
    expect(wire.frames.every(({ opcode }) => opcode === BINARY || opcode === PONG)).toBe(true)
    await alive(wire)
  })

  it('§5.4: a message in fragments, control frames in between', async () => {
    const { ws } = await startServer()
    const wire = await openWire(`${ws}/doc`)
    const part = (from: number, to: number, options: FrameOptions): Buffer =>
      frameOf(STEP1.subarray(from, to), options)
    wire.write(
      part(0, 1, { fin: false }),
      frameOf('are you there?', { opcode: PING }),
      part(1, 1, { fin: false, opcode: CONTINUATION }),
      part(1, 3, { fin: false, opcode: CONTINUATION }),
      frameOf('', { opcode: PONG }),
      part(3, STEP1.length, { opcode: CONTINUATION }),
    )
    expect((await wire.first(PONG)).payload.toString()).toBe('are you there?')
    await answered(wire)
  })

  it('bytes may come one at a time', async () => {
    const { ws } = await startServer()
    const wire = await openWire(`${ws}/doc`)
    wire.socket.setNoDelay(true)
    for (const byte of frameOf(STEP1)) {
      wire.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await answered(wire)
  })

  it('§5.2: frames that come together with the handshake are read', async () => {
    const { ws } = await startServer()
    const wire = await openWire(`${ws}/doc`)
    wire.write(frameOf(STEP1), frameOf(STEP1), frameOf('a', { opcode: PING }))
    await answered(wire, 2)
  })

  it('lengths of every size: 125, 126, 65,535, 65,536 bytes', async () => {
    const { ws } = await startServer()
    const reader = await openWire(`${ws}/doc`)
    const wire = await openWire(`${ws}/doc`)
    const doc = new Y.Doc()
    const sent: number[] = []
    doc.on('update', (update: Uint8Array) => {
      sent.push(update.length)
      wire.write(frameOf(encodeMessage({ type: 'update', update })))
    })
    for (const length of [50, 95, 100, 65_480, 65_520, 70_000, 300_000])
      doc.getText('t').insert(0, 'x'.repeat(length))
    const arrived = (): number[] =>
      reader.frames.flatMap(({ payload }) => {
        const message = decodeMessage(payload)
        return message.type === 'update' ? [message.update.length] : []
      })
    await until('all arrived', () => arrived().length === sent.length)
    expect(arrived()).toEqual(sent)
  })

  const violations: [what: string, frames: () => Uint8Array[], code: number][] = [
    ['§5.1: a frame that isn’t masked', () => [frameOf(STEP1, { masked: false })], 1002],
    ['§5.2: a reserved bit', () => [frameOf(STEP1, { rsv: 4 })], 1002],
    ['§5.2: another reserved bit', () => [frameOf(STEP1, { rsv: 1 })], 1002],
    ['§5.2: an unknown opcode', () => [frameOf(STEP1, { opcode: 3 })], 1002],
    ['§5.2: an unknown control opcode', () => [frameOf('', { opcode: 11 })], 1002],
    ['§5.4: a continuation of nothing', () => [frameOf(STEP1, { opcode: CONTINUATION })], 1002],
    ['§5.4: a message within a message', () => [frameOf(STEP1, { fin: false }), frameOf(STEP1)], 1002],
    ['§5.5: a fragmented control frame', () => [frameOf('', { opcode: PING, fin: false })], 1002],
    ['§5.5: a control frame of 126 bytes', () => [frameOf('x'.repeat(126), { opcode: PING })], 1002],
    ['§5.2: a length past 2^53', () => [frameOf('', { lengthBytes: 8, claimed: 2 ** 60 })], 1009],
    [
      'a length above the limit, before its bytes have come',
      () => [frameOf('', { lengthBytes: 8, claimed: 2 ** 31 })],
      1009,
    ],
    ['fragments that add up to more than the limit', () => overLimit(), 1009],
    ['a message of 20,000 fragments', () => tinyFragments(), 1008],
    ['a text frame', () => [frameOf('hello', { opcode: TEXT })], 4400],
    [
      '§8.1: a text frame that isn’t UTF-8',
      () => [frameOf(Uint8Array.of(0xff, 0xfe), { opcode: TEXT })],
      1007,
    ],
    [
      '§7.4: a close code that may not be sent',
      () => [frameOf(Uint8Array.of(3, 0xed), { opcode: CLOSE })],
      1002,
    ],
    ['§5.5.1: half a close code', () => [frameOf(Uint8Array.of(3), { opcode: CLOSE })], 1002],
  ]
  for (const [what, frames, code] of violations) {
    it(`${what}: ${code}, and a bystander notices nothing`, async () => {
      const { ws } = await startServer({ maxMessageBytes: 2 ** 20 })
      const bystander = await openWire(`${ws}/doc`)
      const wire = await openWire(`${ws}/doc`)
      wire.write(...frames())
      await wire.first(CLOSE)
      wire.socket.end()
      expect(await wire.closed).toBe(code)
      await alive(bystander)
    })
  }

  it('§7.1: a close is answered with its code, and the socket ends', async () => {
    const { ws } = await startServer()
    for (const [payload, code] of [
      [Uint8Array.of(3, 0xe8), 1000],
      [Uint8Array.of(3, 0xe9, ...Buffer.from('bye')), 1001],
      [Uint8Array.of(0x11, 0x30), 4400],
    ] as const) {
      const wire = await openWire(`${ws}/doc`)
      wire.write(frameOf(payload, { opcode: CLOSE }))
      expect(await wire.closed).toBe(code)
    }
    const silent = await openWire(`${ws}/doc`)
    silent.write(frameOf('', { opcode: CLOSE }))
    expect((await silent.first(CLOSE)).payload).toHaveLength(0)
    await silent.closed
  })

  it('frames after a close frame are not read', async () => {
    const { ws } = await startServer()
    const wire = await openWire(`${ws}/doc`)
    await wire.first(BINARY)
    wire.write(frameOf(Uint8Array.of(3, 0xe8), { opcode: CLOSE }), frameOf(STEP1))
    await wire.closed
    expect(answers(wire)).toBe(0)
  })

  it('one that does not answer our close frame is cut', async () => {
    const { ws } = await startServer()
    const wire = await openWire(`${ws}/doc`)
    wire.write(frameOf(Uint8Array.of(9)))
    const started = performance.now()
    expect(await wire.closed).toBe(4400)
    expect(performance.now() - started).toBeLessThan(6000)
  })
})

describe('the handshake (RFC 6455 §4)', () => {
  it('§4.2.2: selects inkwire.1, or the first, or nothing', async () => {
    const { ws } = await startServer()
    expect((await openWire(`${ws}/doc`, ['Sec-WebSocket-Protocol: a, inkwire.1'])).head).toMatch(
      /Protocol: inkwire\.1$/m,
    )
    expect((await openWire(`${ws}/doc`, ['Sec-WebSocket-Protocol: a, b'])).head).toMatch(/Protocol: a$/m)
    expect((await openWire(`${ws}/doc`)).head).not.toMatch(/Sec-WebSocket-Protocol/i)
  })

  it('§9: accepts no extension', async () => {
    const { ws } = await startServer()
    const { head } = await openWire(`${ws}/doc`, [
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    ])
    expect(head).not.toMatch(/Extensions/i)
  })

  const bad: [what: string, headers: string[]][] = [
    ['a wrong version', ['Sec-WebSocket-Version: 12']],
    ['two keys', ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']],
    ['a nonsense subprotocol', ['Sec-WebSocket-Protocol: a,,b']],
    ['a huge header', [`X-Huge: ${'x'.repeat(20_000)}`]],
  ]
  for (const [what, headers] of bad) {
    it(`${what}: 4xx, and the server goes on`, async () => {
      const { ws } = await startServer()
      await expect(openWire(`${ws}/doc`, headers)).rejects.toThrow(/^HTTP\/1\.1 4\d\d/)
      await alive(await openWire(`${ws}/doc`))
    })
  }
})

const wsproto = async (): Promise<boolean> => {
  const probe = spawn('/usr/bin/python3', ['-c', 'import wsproto'], { stdio: 'ignore' })
  return new Promise((resolve) => {
    probe.on('error', () => resolve(false))
    probe.on('close', (code) => resolve(code === 0))
  })
}
const peer = await wsproto()

/** Another implementation of RFC 6455, so that two ends of one library don't agree on a mistake. */
it.skipIf(!peer)(
  `an independent WebSocket peer syncs${peer ? '' : ' (skipped: install Debian’s python3-wsproto)'}`,
  async () => {
    const { ws, server } = await startServer()
    const doc = new Y.Doc()
    doc.getText('text').insert(0, 'hello')
    await server.documents.merge('doc', Y.encodeStateAsUpdate(doc))
    const script = fileURLToPath(new URL('../support/wsproto-peer.py', import.meta.url))
    const child = spawn('/usr/bin/python3', [script, new URL(ws).port], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => {
      out += text
    })
    child.stderr.on('data', (text) => {
      err += text
    })
    const [code] = await once(child, 'close')
    expect(err).toBe('')
    expect(out.trim().split('\n')).toEqual([
      'step2 has hello',
      'fragmented step2 has hello',
      'pong',
      'closed 1000',
      'bad: closed 4400',
    ])
    expect(code).toBe(0)
  },
)

/** 2 MiB in pieces of 64 KiB, where 1 MiB is taken. */
const overLimit = (): Uint8Array[] =>
  Array.from({ length: 32 }, (_, i) =>
    frameOf(Buffer.alloc(65_536), { opcode: i === 0 ? BINARY : CONTINUATION, fin: false }),
  )

const tinyFragments = (): Uint8Array[] =>
  Array.from({ length: 20_000 }, (_, i) =>
    frameOf(Uint8Array.of(0), { opcode: i === 0 ? BINARY : CONTINUATION, fin: false }),
  )
