import type { WebSocketClass, WebSocketLike } from './options.js'

/** PROTOCOL W6: a server lets no more than 15 s pass without a sign of life, so twice that means a dead link. */
const SILENCE_MS = 30_000
const CHECK_EVERY_MS = 3_000
const OPEN = 1

/** What happens on a socket. `lost` comes last and once. */
export interface SocketHandlers {
  /** @param protocol the selected subprotocol, undefined if this WebSocket class doesn't tell. */
  opened(protocol: string | undefined): void
  message(bytes: Uint8Array): void
  failed(event: Event): void
  /** @param event null when nothing was heard for too long. */
  lost(event: CloseEvent | null): void
}

/** One WebSocket and the timer that watches it. */
export interface Socket {
  readonly raw: WebSocketLike
  /** Reports the link as lost if nothing was heard for too long. Timers may have slept; call it on waking. */
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
  { opened, message, failed, lost }: SocketHandlers,
): Socket => {
  let heard = Date.now()
  const check = (): void => {
    if (Date.now() - heard > SILENCE_MS) lost(null)
  }
  const raw = new WebSocket(url, protocols)
  const timer = setInterval(check, CHECK_EVERY_MS)
  raw.binaryType = 'arraybuffer'
  raw.onopen = () => {
    heard = Date.now()
    opened(raw.protocol)
  }
  raw.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    heard = Date.now()
    message(new Uint8Array(data))
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
      raw.onopen = raw.onmessage = raw.onclose = null
      // Closing a socket that is still connecting is an error event, and in Node one without listener is fatal.
      raw.onerror = () => {}
      raw.close()
    },
  }
}
