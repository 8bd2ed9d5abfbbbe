import { isIP } from 'node:net'

/** Browsers state a page's origin; other clients have none, and are no danger to a user's cookies. */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Where a request is addressed to. */
export interface Addressed {
  /** The `Host` header. */
  readonly host: string | undefined
  /**
   * Whether that may be a name which somebody made up and let point to this machine (DNS rebinding): then only an
   * address or `localhost` is believed. Default false.
   */
  readonly doubtful?: boolean
}

/**
 * Whether a page of this origin may connect: cross-site WebSocket hijacking rides on a visitor's cookies and network,
 * and browsers don't apply the same-origin policy to WebSockets (RFC 6455 §10.2).
 *
 * @param origin the `Origin` header, if there is one.
 * @param allowed origins like `https://app.example.com`, or `*` for all. The same origin always may; pages of localhost
 *   may while nothing is listed, for then nobody has said yet where the pages are.
 */
export const originAllowed = (
  origin: string | undefined,
  { host, doubtful = false }: Addressed,
  allowed: readonly string[],
): boolean => {
  if (origin === undefined || allowed.includes('*')) return true
  if (allowed.some((each) => each.toLowerCase() === origin.toLowerCase())) return true
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  const here = LOOPBACK.test(url.hostname)
  if (here && allowed.length === 0) return true
  if (host === undefined || url.host !== host.toLowerCase()) return false
  return here || !doubtful || !isName(url.hostname)
}

/** Anything that isn't an address: names are what others can point anywhere. */
const isName = (hostname: string): boolean => isIP(hostname.replace(/^\[|\]$/g, '')) === 0

/**
 * Whether a request came from a program on this machine itself, and not through a proxy here: a visitor's browser, say,
 * whose page was served by a stranger under a name that now points here.
 */
export const isFromHere = (
  peer: string | undefined,
  headers: { readonly [name: string]: string | readonly string[] | undefined },
): boolean =>
  peer !== undefined &&
  /^(127\.|::ffff:127\.|::1$)/.test(peer) &&
  headers['x-forwarded-for'] === undefined &&
  headers.forwarded === undefined
