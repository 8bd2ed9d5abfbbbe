import { type Answer, deliver } from '../../server/room/answer.js'
import { decodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'

/** An answer as the frames that go out. */
export const framesOf = (answer: Answer): Uint8Array[] => {
  const frames: Uint8Array[] = []
  deliver(
    {
      congested: false,
      write: (more) => void frames.push(...more),
      stream: (pieces) => void frames.push(...[...pieces].flat()),
    },
    answer,
  )
  return frames
}

/** Takes apart the server's frames (RFC 6455 §5.2, unmasked, unfragmented): what a member of a room got, as messages. */
export const messagesIn = (frames: readonly Uint8Array[]): Message[] => payloadsIn(frames).map(decodeMessage)

/** The same without decoding: one payload per frame. */
export const payloadsIn = (frames: readonly Uint8Array[]): Uint8Array[] => {
  const bytes = Buffer.concat(frames)
  const payloads: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes[at] !== 0x82) throw new Error(`no binary frame at ${at}`)
    const short = bytes[at + 1] as number
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    at += short < 126 ? 2 : short === 126 ? 4 : 10
    payloads.push(Uint8Array.from(bytes.subarray(at, at + length)))
    at += length
  }
  return payloads
}
