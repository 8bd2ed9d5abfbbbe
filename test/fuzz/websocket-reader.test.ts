import { describe, expect, it } from 'vitest'
import { Receiver } from 'ws'
import { type Heard, hex, type Reading, readAll } from '../support/frame-events.js'
import { CASES, damaged, FUZZ_TIMEOUT_MS, fuzz } from '../support/fuzz.js'
import { below, pick } from '../support/random-edits.js'
import { CLOSE, CONTINUATION, type FrameOptions, PING, PONG, TEXT } from '../support/wire.js'

/** Small, so that messages come to the limit. */
const MOST_BYTES = 70_000
/** A header's longest, and the code of a close frame: what a frame can be refused for. */
const MOST_JUDGED_BYTES = 16

/** ws's names for what is not refused with 1002 (its doc/ws.md lists them). */
const CODES: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
}

/** What the receiver of ws makes of a stream. */
const readByWs = (chunks: readonly Uint8Array[]): Reading => {
  const receiver = new Receiver({ isServer: true, maxPayload: MOST_BYTES, maxFragments: 16_384 })
  const heard: Heard[] = []
  let over = false
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    heard.push([isBinary ? 'binary' : 'text', hex(data)]),
  )
  receiver.on('ping', (data: Buffer) => heard.push(['ping', hex(data)]))
  receiver.on('pong', () => heard.push(['pong']))
  receiver.on('conclude', (code: number, reason: Buffer) => {
    heard.push(['close', code, hex(reason)])
    over = true
  })
  // It says so later too.
  receiver.on('error', () => undefined)
  for (const chunk of chunks) {
    if (over || receiver.errored) break
    receiver.write(Buffer.from(chunk))
  }
  const error: NodeJS.ErrnoException | null = receiver.errored
  return { heard, refused: error ? (CODES[error.code ?? ''] ?? 1002) : null }
}

/** A frame of a client's, its mask from the same source as all else, so that a case can be repeated. */
const frame = (random: () => number, payload: Uint8Array, options: FrameOptions = {}): Buffer => {
  const { opcode = 2, fin = true } = options
  const { length } = payload
  // Longer forms than necessary are taken, by both.
  const long = opcode < CLOSE && random() < 0.05
  const bits = length < 126 && !long ? 7 : length < 65_536 && random() < 0.95 ? 16 : 64
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | opcode
  head[1] = 0x80 | (bits === 7 ? length : bits === 16 ? 126 : 127)
  if (bits === 16) head.writeUInt16BE(length, 2)
  if (bits === 64) head.writeBigUInt64BE(BigInt(length), 2)
  const mask = random() < 0.1 ? Buffer.alloc(4) : Buffer.from([0, 0, 0, 0].map(() => below(random, 256)))
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0))])
}

/** Lengths where something changes, and others. */
const anyLength = (random: () => number): number =>
  random() < 0.7
    ? below(random, 20)
    : random() < 0.9
      ? pick(random, [47, 48, 49, 125, 126, 127, 128]) + below(random, 3)
      : pick(random, [65_534, 65_535, 65_536, MOST_BYTES, below(random, MOST_BYTES)])

const filled = (random: () => number, length: number): Buffer => {
  const seed = below(random, 256)
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255))
}

const anyText = (random: () => number): Buffer => {
  const characters = ['a', 'é', '€', '\u{1f600}', ' ']
  return Buffer.from(Array.from({ length: anyLength(random) % 40 }, () => pick(random, characters)).join(''))
}

const anyControl = (random: () => number): { frame: Buffer; heard: Heard } => {
  const payload = filled(random, below(random, random() < 0.2 ? 126 : 6))
  return random() < 0.5
    ? { frame: frame(random, payload, { opcode: PING }), heard: ['ping', hex(payload)] }
    : { frame: frame(random, payload, { opcode: PONG }), heard: ['pong'] }
}

/** A message in fragments of any size, control frames among them, and all that is to be heard of it. */
const anyMessage = (random: () => number): { frames: Buffer[]; heard: Heard[] } => {
  const isText = random() < 0.3
  const payload = isText ? anyText(random) : filled(random, anyLength(random))
  const opcode = isText ? TEXT : 2
  const heard: Heard[] = []
  const frames: Buffer[] = []
  let at = 0
  let first = true
  const fragments = random() < 0.5 ? 1 : 1 + below(random, 5)
  for (let left = fragments; left > 0; left--) {
    const end = left === 1 ? payload.length : at + below(random, payload.length - at + 1)
    const options = { opcode: first ? opcode : CONTINUATION, fin: left === 1 }
    frames.push(frame(random, payload.subarray(at, end), options))
    at = end
    first = false
    if (left === 1 || random() < 0.7) continue
    const control = anyControl(random)
    frames.push(control.frame)
    heard.push(control.heard)
  }
  heard.push([isText ? 'text' : 'binary', hex(payload)])
  return { frames, heard }
}

const anyClose = (random: () => number): { frame: Buffer; heard: Heard } => {
  if (random() < 0.3)
    return { frame: frame(random, Buffer.of(), { opcode: CLOSE }), heard: ['close', 1005, ''] }
  const code = pick(random, [1000, 1001, 1003, 1011, 3000, 4400, 4999])
  const reason = anyText(random).toString().slice(0, 20)
  const payload = Buffer.concat([Uint8Array.of(code >> 8, code & 255), Buffer.from(reason)])
  const bytes = Buffer.from(payload.subarray(2))
  return { frame: frame(random, payload, { opcode: CLOSE }), heard: ['close', code, hex(bytes)] }
}

/** Everything that a client may say, and what is to be heard of it. */
const anyStream = (random: () => number): { stream: Buffer; heard: Heard[] } => {
  const frames: Buffer[] = []
  const heard: Heard[] = []
  for (let left = 1 + below(random, 4); left > 0; left--) {
    const message = anyMessage(random)
    frames.push(...message.frames)
    heard.push(...message.heard)
    if (random() < 0.8) continue
    const control = anyControl(random)
    frames.push(control.frame)
    heard.push(control.heard)
  }
  if (random() < 0.4) {
    const close = anyClose(random)
    frames.push(close.frame)
    heard.push(close.heard)
    if (random() < 0.3) frames.push(filled(random, below(random, 30)))
  }
  return { stream: Buffer.concat(frames), heard }
}

const cut = (random: () => number, stream: Uint8Array): Uint8Array[] => {
  const most = pick(random, stream.length > 2000 ? [1000, 65_536] : [1, 2, 15, 200, 65_536])
  const chunks: Uint8Array[] = []
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + below(random, most)
    chunks.push(stream.subarray(at, end))
    at = end
  }
  return chunks
}

/** Something wrong in a header, where it tells more than somewhere in a payload. */
const bent = (random: () => number, stream: Uint8Array): Uint8Array => {
  if (stream.length > 2000 || random() < 0.5) {
    const bytes = Uint8Array.from(stream)
    for (let i = 1 + below(random, 2); i > 0; i--) {
      const at = below(random, random() < 0.5 ? Math.min(16, bytes.length) : bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8))
    }
    return random() < 0.2 ? bytes.subarray(0, below(random, bytes.length)) : bytes
  }
  return damaged(random, stream)
}

const same = (left: unknown, right: unknown, chunks: readonly Uint8Array[]): void => {
  // As text first: comparing structures takes far longer.
  if (JSON.stringify(left) === JSON.stringify(right)) return
  expect(left, `${chunks.length} pieces: ${hex(Buffer.concat(chunks)).slice(0, 2000)}`).toEqual(right)
}

describe('what a client sends', () => {
  it(
    'comes as it was said, however it is cut',
    () =>
      fuzz(CASES, (random) => {
        const { stream, heard } = anyStream(random)
        const chunks = cut(random, stream)
        same(readAll(chunks, MOST_BYTES), { heard, refused: null }, chunks)
      }),
    FUZZ_TIMEOUT_MS,
  )

  it(
    'is judged as ws judges it, whatever is wrong with it',
    async () => {
      const verdicts = new Map<number | null, number>()
      await fuzz(CASES, (random) => {
        const chunks = cut(random, bent(random, anyStream(random).stream))
        const theirs = readByWs(chunks)
        let ours = readAll(chunks, MOST_BYTES)
        // ws refuses a header before all of it is there, and half a close code before that; §7.1.7 doesn't say when.
        if (theirs.refused !== null && ours.refused === null)
          ours = readAll([...chunks, new Uint8Array(MOST_JUDGED_BYTES)], MOST_BYTES)
        same(ours, theirs, chunks)
        verdicts.set(theirs.refused, (verdicts.get(theirs.refused) ?? 0) + 1)
      })
      // Or it says nothing.
      if (CASES >= 10_000)
        for (const verdict of [null, 1002, 1007, 1009]) expect(verdicts.get(verdict)).toBeGreaterThan(50)
    },
    FUZZ_TIMEOUT_MS,
  )
})
