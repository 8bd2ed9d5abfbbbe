import { FrameError, FrameReader } from '../../server/websocket/frame-reader.js'

/** What a reader tells, in hex: bytes are compared, not kept. */
export type Heard =
  | readonly [what: 'text' | 'binary' | 'ping', hex: string]
  | readonly [what: 'pong']
  | readonly [what: 'close', code: number, reason: string]

/** What a stream was read as, and the close code that it was refused with. */
export interface Reading {
  readonly heard: readonly Heard[]
  readonly refused: number | null
}

export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')

/** A reader that writes down what it is told. */
export const listening = (mostBytes: number): { reader: FrameReader; heard: Heard[] } => {
  const heard: Heard[] = []
  const reader = new FrameReader(mostBytes, {
    message: (payload, isBinary) => heard.push([isBinary ? 'binary' : 'text', hex(payload)]),
    ping: (payload) => heard.push(['ping', hex(payload)]),
    pong: () => heard.push(['pong']),
    close: (code, reason) => heard.push(['close', code, hex(reason)]),
  })
  return { reader, heard }
}

/** Reads copies of these pieces, as a socket delivers them: a reader takes masks off where they lie. */
export const readAll = (chunks: readonly Uint8Array[], mostBytes = 2 ** 20): Reading => {
  const { reader, heard } = listening(mostBytes)
  try {
    for (const chunk of chunks) reader.read(Buffer.from(chunk))
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return { heard, refused: error.code }
  }
  return { heard, refused: null }
}
