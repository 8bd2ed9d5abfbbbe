import type { WebSocketClass, WebSocketLike } from './options.js'

/** PROTOCOL W6: a server lets no more than 15 s pass without a sign of life, so twice that means a dead link. */
const SILENCE_MS = 30_000
const CHECK_EVERY_MS = 3_000
/** How long an answer may take when somebody wants to know whether the link still works. */
const ANSWER_MS = 4_000
/** With more than this still waiting to be sent, bytes, no link can be expected to bring an answer soon. */
const UPLOAD_BYTES = 60_000
const OPEN = 1

/** What happens on a socket. `lost` comes last and once. */
export interface SocketHandlers {
  /** @param protocol the selected subprotocol, undefined if this WebSocket class doesn't tell. */
  opened(protocol: string | undefined): void
  /** @returns true if the next message may take long to come. */
  message(bytes: Uint8Array): unknown
  failed(event: Event): void
  /** Something is to be sent that the server answers, if it can be sent. */
  probe(): void
  /** @param event null when nothing was heard for too long. */
  lost(event: CloseEvent | null): void
}

/** One WebSocket and the timer that watches it. */
export interface Socket {
  readonly raw: WebSocketLike
  /** Finds out within seconds whether the link still works, and reports it as lost if not. */
  check(): void
  /** Sends one message; does nothing unless the socket is open. */
  send(bytes: Uint8Array): void
  /** Ends it; no handler is called any more. */
  close(): void
}

/** Opens a connection. Throws what the WebSocket class throws for a bad URL or subprotocol. */
export const openSocket = (
  WebSocket: WebSocketClass,
  url: string,
  protocols: string[],
  { opened, message, failed, probe, lost }: SocketHandlers,
): Socket => {
  let ticked = Date.now()
  let due: number
  /** A message is heard only when it is complete, so a large one takes longer: a document that is being loaded, say. */
  let patience: 1 | 4 = 1
  const heard = (): void => {
    due = Date.now() + SILENCE_MS * patience
  }
  const check = (): void => {
    const soon = Date.now() + ANSWER_MS * patience
    if (due > soon && (raw.bufferedAmount ?? 0) <= UPLOAD_BYTES) {
      due = soon
      probe()
    } else tick()
  }
  const tick = (): void => {
    const now = Date.now()
    // Or the clock was set. If it was set back, what is due would come that much too late.
    const slept = Math.abs(now - ticked) > 2 * CHECK_EVERY_MS
    ticked = now
    if (now > due) lost(null)
    else if (slept) check()
  }
  const raw = new WebSocket(url, protocols)
  const timer = setInterval(tick, CHECK_EVERY_MS)
  heard()
  raw.binaryType = 'arraybuffer'
  raw.onopen = () => {
    heard()
    opened(raw.protocol)
  }
  raw.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    patience = message(new Uint8Array(data)) ? 4 : 1
    heard()
    // To who shares a socket with others (`client/shared`).
    return patience
  }
  raw.onerror = failed
  raw.onclose = lost
  return {
    raw,
    check,
    send: (bytes) => {
      // lib0 encodes into plain memory, its types just don't say so.
      if (raw.readyState === OPEN) raw.send(bytes as Uint8Array<ArrayBuffer>)
    },
    close: () => {
      clearInterval(timer)
      // Closing a socket that is still connecting is an error event, and in Node one without listener is fatal.
      raw.onopen = raw.onmessage = raw.onclose = raw.onerror = () => {}
      raw.close()
    },
  }
}
