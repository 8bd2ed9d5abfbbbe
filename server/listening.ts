import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Address } from './events.js'

/**
 * Has an HTTP server listen.
 *
 * @param port 0 for any that is free.
 * @returns where it does, with a URL that a browser can open.
 * @throws Node's own error when the address can't be bound.
 */
export const listenAt = async (http: Server, host: string, port: number): Promise<Address> => {
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, () => resolve())
  })
  const bound = http.address() as AddressInfo
  const isIPv6 = bound.family === 'IPv6' && !host.includes('.') && host.includes(':')
  return { host, port: bound.port, url: `http://${isIPv6 ? `[${bound.address}]` : host}:${bound.port}` }
}
