/** Browsers state a page's origin; other clients have none, and are no danger to a user's cookies. */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Whether a page of this origin may connect: cross-site WebSocket hijacking rides on a visitor's cookies and network,
 * and browsers don't apply the same-origin policy to WebSockets (RFC 6455 §10.2).
 *
 * @param origin the `Origin` header, if there is one.
 * @param host the `Host` header.
 * @param allowed origins like `https://app.example.com`, or `*` for all. Same origin and localhost always may.
 */
export const originAllowed = (
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean => {
  if (origin === undefined || allowed.includes('*')) return true
  if (allowed.some((each) => each.toLowerCase() === origin.toLowerCase())) return true
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  return LOOPBACK.test(url.hostname) || (host !== undefined && url.host === host.toLowerCase())
}
