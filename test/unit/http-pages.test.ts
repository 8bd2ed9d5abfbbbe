import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  request,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHttpApp, type HttpAppDeps } from '../../server/http/app.js'

let folder: string
let server: Server
let origin: string

/** As they are before any server was made. */
const GLOBALS = { Request: globalThis.Request, Response: globalThis.Response }

const PAGE = '<!doctype html><title>Inkwire</title>'
const SCRIPT = 'export {}'

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inkwire-http-'))
  await mkdir(join(folder, 'demo', 'assets'), { recursive: true })
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await writeFile(join(folder, 'demo', 'index.html'), PAGE)
  await writeFile(join(folder, 'demo', 'assets', 'index-Dk3_x9Ab.js'), SCRIPT)
  await writeFile(join(folder, 'demo', 'icon.svg'), '<svg/>')
})

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

const serve = async (deps: Partial<HttpAppDeps> = {}): Promise<void> => {
  const app = createHttpApp({
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'x 1\n' }),
    demo: true,
    pathPrefix: '/docs/',
    demoFolder: join(folder, 'demo'),
    ...deps,
  })
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An answer as it came over the wire, which `fetch` would unpack. */
interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly body: string
}

/** A request whose path and headers go out exactly as written, which `fetch` doesn't do. */
const rawGet = (path: string, headers: OutgoingHttpHeaders = {}): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    request({ hostname, port, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const bytes = Buffer.concat(parts)
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, bytes, body: bytes.toString() })
      })
    })
      .on('error', reject)
      .end()
  })

describe('health', () => {
  it('/healthz answers ok whatever the store does', async () => {
    await serve({ readiness: () => ({ ready: false, reasons: ['disk full'] }) })
    const response = await fetch(`${origin}/healthz`)
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('/readyz is 200 when ready and 503 with the reasons when not', async () => {
    const reasons: string[] = []
    await serve({ readiness: () => ({ ready: reasons.length === 0, reasons }) })
    const ready = await fetch(`${origin}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }])
    reasons.push('the store does not take writes')
    const unready = await fetch(`${origin}/readyz`)
    expect([unready.status, await unready.json()]).toEqual([503, { ready: false, reasons }])
  })
})

describe('metrics', () => {
  it('go out with their content type', async () => {
    await serve()
    const response = await fetch(`${origin}/metrics`)
    expect([response.status, await response.text()]).toEqual([200, 'x 1\n'])
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4')
  })

  it('that fail are a 500 without details, and a log line with them', async () => {
    const logged: unknown[] = []
    const log = { ...console, error: (fields: object) => logged.push(fields), child: () => log }
    const failing = async () => {
      throw new Error('inner detail')
    }
    await serve({ metrics: failing, log })
    const response = await fetch(`${origin}/metrics`)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('inner detail')
    expect(logged).toMatchObject([{ err: { message: 'inner detail' } }])
  })
})

describe('the demo', () => {
  it('is the page at /, checked for news every time', async () => {
    await serve()
    const response = await fetch(`${origin}/`)
    expect([response.status, await response.text()]).toEqual([200, PAGE])
    expect(response.headers.get('content-type')).toMatch('text/html')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const etag = response.headers.get('etag') ?? ''
    const again = await fetch(`${origin}/`, { headers: { 'If-None-Match': etag } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  it('may load scripts and styles only from here', async () => {
    await serve()
    const { headers } = await fetch(`${origin}/`)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self';")
    expect(policy).toContain("connect-src 'self' ws: wss:;")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('has files that are named after their contents cached for ever, and no others', async () => {
    await serve()
    const script = await fetch(`${origin}/assets/index-Dk3_x9Ab.js`)
    expect([script.status, await script.text()]).toEqual([200, SCRIPT])
    expect(script.headers.get('content-type')).toMatch('javascript')
    expect(script.headers.get('cache-control')).toContain('immutable')
    const icon = await fetch(`${origin}/icon.svg`)
    expect(icon.headers.get('content-type')).toMatch('image/svg+xml')
    expect(icon.headers.get('cache-control')).toBe('no-cache')
  })

  it('goes out compressed to who takes it, each form with a tag of its own', async () => {
    const script = `export default '${'again '.repeat(200)}'`
    const path = '/assets/large-Dk3_x9Ab.js'
    await writeFile(join(folder, 'demo', path), script)
    await serve()
    const ask = (encoding: string, tag = '') =>
      rawGet(path, { 'Accept-Encoding': encoding, 'If-None-Match': tag })

    const small = await ask('gzip, deflate, br')
    expect(small.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': String(small.bytes.length),
      vary: 'Accept-Encoding',
    })
    expect(small.headers['cache-control']).toContain('immutable')
    expect(small.headers['content-type']).toMatch('javascript')
    expect(small.bytes.length).toBeLessThan(script.length / 5)
    expect(gunzipSync(small.bytes).toString()).toBe(script)

    for (const encoding of ['', 'br', 'gzip;q=0', 'identity']) {
      const { headers, body } = await ask(encoding)
      expect([headers['content-encoding'], headers.vary, body]).toEqual([
        undefined,
        'Accept-Encoding',
        script,
      ])
    }
    const plain = await ask('')
    expect(plain.headers.etag).not.toBe(small.headers.etag)
    const unchanged = await ask('gzip', small.headers.etag)
    expect([unchanged.status, unchanged.body, unchanged.headers.vary]).toEqual([304, '', 'Accept-Encoding'])
    expect((await ask('gzip', plain.headers.etag)).status, 'of the other form').toBe(200)
    expect((await ask('', plain.headers.etag)).status).toBe(304)

    const tiny = await rawGet('/icon.svg', { 'Accept-Encoding': 'gzip' })
    expect([tiny.headers['content-encoding'], tiny.body], 'no smaller').toEqual([undefined, '<svg/>'])
    const asked = await rawGet('/demo.json', { 'Accept-Encoding': 'gzip' })
    expect(asked.headers['content-encoding'], 'no file').toBeUndefined()
  })

  it('is told where the documents are', async () => {
    await serve()
    expect(await (await fetch(`${origin}/demo.json`)).json()).toEqual({
      pathPrefix: '/docs/',
      authorization: false,
    })
  })

  it('answers HEAD with the headers alone', async () => {
    await serve()
    const response = await fetch(`${origin}/`, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(response.headers.get('content-length')).toBe(String(PAGE.length))
  })

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/../../secret.txt',
    '//secret.txt',
    '/assets',
    '/assets/',
    '/%00',
    '/%',
  ])('%s leads nowhere', async (path) => {
    await serve()
    const { status, body } = await rawGet(path)
    expect(status).toBe(404)
    expect(body).toContain('nothing at this address')
  })

  it('is not there when it is off', async () => {
    await serve({ demo: false })
    expect((await fetch(`${origin}/`)).status).toBe(404)
    expect((await fetch(`${origin}/demo.json`)).status).toBe(404)
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
  })

  it('that was never built says so, and is found once it is', async () => {
    await serve({ demoFolder: join(folder, 'later') })
    const missing = await fetch(`${origin}/`)
    expect([missing.status, await missing.text()]).toEqual([
      404,
      'The demo has not been built: npm run build.\n',
    ])
    await mkdir(join(folder, 'later'))
    await writeFile(join(folder, 'later', 'index.html'), PAGE)
    expect((await fetch(`${origin}/`)).status).toBe(200)
  })
})

describe('anything else', () => {
  it('is a 404 that says how documents are opened', async () => {
    await serve()
    const response = await fetch(`${origin}/docs/notes`)
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('opened by a WebSocket')
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('by %s is refused', async (method) => {
    await serve()
    const response = await fetch(`${origin}/healthz`, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })
})

it('leaves the globals of the process alone', async () => {
  await serve()
  await fetch(origin)
  expect(globalThis.Request).toBe(GLOBALS.Request)
  expect(globalThis.Response).toBe(GLOBALS.Response)
})
