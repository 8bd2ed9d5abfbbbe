import type { IncomingMessage, RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { type Log, silentLog } from '../observe/log.js'
import type { MetricsText } from '../observe/metrics.js'
import { type Asset, loadDemo } from './demo.js'

/** What the pages of {@link createHttpApp} show. */
export interface HttpAppDeps {
  /** What `/readyz` says, in plain words, without secrets; whatever else is in it is passed on. */
  readonly readiness: () => { readonly ready: boolean; readonly reasons: readonly string[] }
  /** What `/metrics` says. */
  readonly metrics: () => Promise<MetricsText>
  /** Whether the demo is served at `/`. */
  readonly demo: boolean
  /** Where documents are found, for the demo; starts and ends with a slash. */
  readonly pathPrefix: string
  /** Whether the server asks who one is, for the demo's words about links. Default false. */
  readonly authorization?: boolean
  /** Folder of the built demo. Default: the one in this package. */
  readonly demoFolder?: string
  /** Whether so many requests came from where this one does that it isn't answered. Default: never. */
  readonly tooMany?: (request: IncomingMessage) => boolean
  readonly log?: Log
}

/** Scripts and styles from here only; WebSockets also to elsewhere, since the demo may talk to another server. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ')

const NOTHING_HERE =
  'There is nothing at this address for a browser.\n' +
  'Documents are opened by a WebSocket: connect a Yjs provider to this server.\n'

/**
 * Everything that is asked for by plain HTTP, as a listener for any `http.Server`:
 *
 * | path | answer |
 * |---|---|
 * | `/healthz` | 200 `ok` as long as the process answers at all |
 * | `/readyz` | 200, or 503 while documents can't be opened and saved; JSON `{ready, reasons, damaged}` |
 * | `/metrics` | Prometheus' text format |
 * | `/demo.json` | what the demo needs to know: `{pathPrefix, authorization}` |
 * | `/`, `/assets/…` | the demo |
 *
 * All else is a 404 in plain words, also for a document's address: under the path prefix `/` every path is one.
 * Only GET and HEAD are answered; one address that asks too often gets a 429.
 */
export const createHttpApp = (deps: HttpAppDeps): RequestListener => {
  const { readiness, metrics, tooMany = () => false, log = silentLog } = deps
  const app = new Hono()

  app.use(async (c, next) => {
    c.header('X-Content-Type-Options', 'nosniff')
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    return c.text('Only GET and HEAD are answered here.\n', 405, { Allow: 'GET, HEAD' })
  })

  app.get('/healthz', (c) => c.text('ok', 200, UNCACHED))
  app.get('/readyz', (c) => {
    const answer = readiness()
    return c.json(answer, answer.ready ? 200 : 503, UNCACHED)
  })
  app.get('/metrics', async (c) => {
    const { contentType, body } = await metrics()
    return c.body(body, 200, { ...UNCACHED, 'Content-Type': contentType })
  })
  if (deps.demo) {
    const { pathPrefix, authorization = false } = deps
    app.get('/demo.json', (c) => c.json({ pathPrefix, authorization }, 200, UNCACHED))
    app.get('*', serveDemo(deps.demoFolder ?? fileURLToPath(new URL('../../demo', import.meta.url))))
  }

  app.notFound((c) => c.text(NOTHING_HERE, 404))
  app.onError((err, c) => {
    log.error({ err }, 'a request could not be answered')
    return c.text('This could not be answered; the log says why.\n', 500)
  })

  // The default would replace the process's own Request and Response, which belong to the app around us.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return (request, response) => {
    if (tooMany(request)) response.writeHead(429, { 'Retry-After': '1', 'Content-Length': 0 }).end()
    else void listener(request, response)
  }
}

const UNCACHED = { 'Cache-Control': 'no-store' }

const serveDemo = (folder: string) => {
  let loaded: Promise<ReadonlyMap<string, Asset> | null> | null = null
  return async (c: Context, next: () => Promise<void>) => {
    loaded ??= loadDemo(folder)
    const assets = await loaded.catch(() => null)
    if (assets === null) {
      // Perhaps it is being built: look again next time.
      loaded = null
      return c.req.path === '/' ? c.text('The demo has not been built: npm run build.\n', 404) : next()
    }
    const asset = assets.get(c.req.path)
    if (!asset) return next()
    const encoding = accepts(c, { header: 'Accept-Encoding', supports: ['gzip'], default: 'identity' })
    const gzipped = encoding === 'gzip' ? asset.gzipped : null
    const { bytes, etag } = gzipped ?? asset.plain
    const headers = {
      ETag: etag,
      Vary: 'Accept-Encoding',
      'Cache-Control': asset.cacheControl,
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
    }
    if (c.req.header('If-None-Match') === etag) return c.body(null, 304, headers)
    return c.body(bytes, 200, {
      ...headers,
      ...(gzipped && { 'Content-Encoding': 'gzip' }),
      'Content-Type': asset.contentType,
      'Content-Length': String(bytes.length),
    })
  }
}
