import { BlockList, isIP, isIPv4 } from 'node:net'

/** Which addresses are proxies of ours: their word about a client's address is believed. */
export type Proxies = Pick<BlockList, 'check'>

/**
 * Reads a list of addresses and networks.
 *
 * @throws TypeError for one that is neither.
 * @example
 *   proxiesFrom(['10.0.0.0/8', '::1'])
 */
export const proxiesFrom = (entries: readonly string[]): Proxies => {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix, ...more] = entry.split('/')
    const family = familyOf(address)
    if (family === null || more.length > 0)
      throw new TypeError(`${entry} is neither an address nor a network`)
    if (prefix === undefined) list.addAddress(address, family)
    else if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 'ipv4' ? 32 : 128)) {
      list.addSubnet(address, Number(prefix), family)
    } else throw new TypeError(`${entry} is neither an address nor a network`)
  }
  return list
}

/**
 * Whom a request comes from: the peer of its connection, unless that is a proxy of ours; then the last address in
 * `X-Forwarded-For` that isn't one. Everything left of that, anybody can have made up.
 *
 * @param forwardedFor the header as it came; proxies append to it on the right.
 */
export const clientAddress = (peer: string, forwardedFor: string | undefined, proxies: Proxies): string => {
  let address = plain(peer)
  const hops = forwardedFor?.split(',') ?? []
  while (isProxy(address, proxies)) {
    const hop = hops.pop()
    if (hop === undefined) return address
    const next = plain(withoutPort(hop.trim()))
    if (isIP(next) === 0) return address
    address = next
  }
  return address
}

/**
 * What an address counts under: itself, or for IPv6 its /64 network, since one client has all of that; `null` for
 * this machine's own, which isn't limited.
 */
export const addressKey = (address: string): string | null => {
  if (isIPv4(address)) return address.startsWith('127.') ? null : address
  if (isIP(address) === 0) return address
  return isLoopback6(address) ? null : network64(address)
}

/** What a bare socket counts under, by its peer; `null` also for a proxy of ours, which speaks for many. */
export const peerKey = (peer: string, proxies: Proxies): string | null => {
  const address = plain(peer)
  return isProxy(address, proxies) ? null : addressKey(address)
}

const loopback6 = new BlockList()
loopback6.addAddress('::1', 'ipv6')
const isLoopback6 = (address: string): boolean => loopback6.check(address, 'ipv6')

const isProxy = (address: string, proxies: Proxies): boolean => {
  const family = familyOf(address)
  return family !== null && proxies.check(address, family)
}

const familyOf = (address: string): 'ipv4' | 'ipv6' | null => {
  const version = isIP(address)
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : null
}

/** Without what a socket that takes both families puts before an IPv4 address. */
const plain = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped?.[1] ?? address
}

/** `1.2.3.4:5678` and `[::1]:5678` as some proxies write them. */
const withoutPort = (hop: string): string =>
  /^\[(.+)\](:\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop

/** The first four groups of an IPv6 address, in one spelling. */
const network64 = (address: string): string => {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  // A dotted end stands for two groups.
  const written = left.length + right.length + (right.at(-1)?.includes('.') ? 1 : 0)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - written)
  const groups = [...left, ...new Array<string>(zeros).fill('0'), ...right].slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
