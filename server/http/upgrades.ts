import { IncomingMessage, type ServerResponse } from 'node:http'

/**
 * A request that an HTTP server takes for an upgrade only if it is one to a WebSocket. Another one, such as to `h2c`,
 * is to be answered as if it didn't ask (RFC 9110 §7.8), but with a listener of `upgrade` Node hands all of them to
 * that. From Node 24.9 on there is an option for it, `shouldUpgradeCallback`.
 *
 * @example
 *   http.createServer({ IncomingMessage: UpgradableRequest }).on('upgrade', …)
 */
export class UpgradableRequest extends IncomingMessage {
  /** What Node's parser says; the constructor of what this extends sets it before there could be a private field. */
  declare protected asked: unknown

  get upgrade(): boolean {
    // CONNECT is an upgrade as well, to Node.
    return Boolean(this.asked) && (this.method === 'CONNECT' || namesWebSocket(this.headers.upgrade))
  }

  set upgrade(asked: unknown) {
    this.asked = asked
  }
}

/**
 * To be called first for a request that came through {@link UpgradableRequest}: the connection of one that asked for
 * another upgrade ends with its answer, since Node's parser lost whatever came together with it.
 */
export const endAfterUpgrade = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
}

const namesWebSocket = (upgrade: string | undefined): boolean =>
  upgrade?.split(',').some((name) => name.trim().toLowerCase() === 'websocket') === true
