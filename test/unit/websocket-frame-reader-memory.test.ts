/** What a frame reader holds while it waits for more, and what it copies. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { FrameReader } from '../../server/websocket/frame-reader.js'
import { listening } from '../support/frame-events.js'
import { CONTINUATION, type FrameOptions, frameOf, PONG } from '../support/wire.js'

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255)
const part = (payload: Uint8Array | string, options: FrameOptions = {}): Buffer =>
  frameOf(payload, { fin: false, ...options })
const more = (payload: Uint8Array | string, options: FrameOptions = {}): Buffer =>
  frameOf(payload, { opcode: CONTINUATION, ...options })

const gc = (): void => {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

/** Bytes of buffers that are held, once it is clear: they are swept some time after a collection. */
const bytesHeld = async (enough: (bytes: number) => boolean): Promise<number> => {
  for (let i = 0; ; i++) {
    gc()
    await new Promise(setImmediate)
    const bytes = process.memoryUsage().arrayBuffers
    if (i >= 3 && (enough(bytes) || i >= 100)) return bytes
  }
}

/** What `make` returns holds fewer bytes of buffers than `limit`. */
const holdsLess = async (limit: number, make: () => readonly unknown[]): Promise<void> => {
  let last = Number.NaN
  const before = await bytesHeld((bytes) => {
    const steady = bytes === last
    last = bytes
    return steady
  })
  const kept = make()
  const after = await bytesHeld((bytes) => bytes - before < limit)
  expect(kept.length).toBeGreaterThan(0)
  expect(after - before).toBeLessThan(limit)
}

describe('what a reader keeps', () => {
  const readers = (count: number, ...chunks: Uint8Array[]): FrameReader[] =>
    Array.from({ length: count }, () => {
      const { reader } = listening(2 ** 31)
      for (const chunk of chunks) reader.read(Buffer.from(chunk))
      return reader
    })

  it('nothing for what a header claims', async () => {
    const claim = frameOf('', { claimed: 2 ** 30 })
    await holdsLess(2 ** 16, () => readers(10, claim))
    await holdsLess(2 ** 18, () => readers(10, claim, Buffer.from('x')))
    const longest = part('', { claimed: 2 ** 30 })
    await holdsLess(2 ** 18, () => readers(10, longest, Buffer.from('x')))
  })

  it('no more than in proportion to what has come, however small the fragments', async () => {
    const fragments = [part('x'), ...Array.from({ length: 16_000 }, () => more('x', { fin: false }))]
    await holdsLess(10 * 33_000, () => readers(10, ...fragments))
  })

  it('not the piece that a half header, or one whose payload is still to come, was the end of', async () => {
    const filling = Array.from({ length: 500 }, () => frameOf('x'.repeat(125), { opcode: PONG }))
    for (const end of [Uint8Array.of(0x82), frameOf('', { claimed: 100 })]) {
      const chunk = Buffer.concat([...filling, end])
      await holdsLess(10 * chunk.length, () => readers(100, chunk))
    }
  })

  const payloadsOf = (...chunks: Uint8Array[]): Uint8Array[] => {
    const payloads: Uint8Array[] = []
    const ignore = (): void => undefined
    const message = (payload: Uint8Array): void => void payloads.push(payload)
    const reader = new FrameReader(100_000, { message, ping: ignore, pong: ignore, close: ignore })
    for (const chunk of chunks) reader.read(chunk)
    return payloads
  }

  it('a message in one piece is a view of it, not a copy', () => {
    const chunk = new Uint8Array(frameOf('abc'))
    expect(payloadsOf(chunk).map(({ buffer }) => buffer)).toEqual([chunk.buffer])
  })

  it('one frame in pieces takes no more room than it needs', () => {
    const framed = frameOf(bytesOf(5000))
    const [payload] = payloadsOf(framed.subarray(0, 4500), framed.subarray(4500))
    expect(payload?.buffer.byteLength).toBe(5000)
  })
})
