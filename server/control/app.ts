import { type Context, Hono } from 'hono'
import { type ErrorCode, InkwireError } from '../../shared/errors.js'
import type { Documents } from '../documents.js'
import type { StoredDocument } from '../journal/journal.js'
import type { Finding } from '../journal/verify.js'
import type { Log } from '../observe/log.js'
import { encodeStored } from './stored.js'

/** What the control channel reaches of a running server. */
export interface ControlAppDeps {
  readonly documents: Pick<Documents, 'list' | 'stats' | 'read' | 'merge' | 'replace' | 'delete'>
  /** Everything that is wrong with the store. */
  readonly verify: () => AsyncIterable<Finding>
  /** A document's pieces, as they are durable now. */
  readonly stored: (name: string) => Promise<StoredDocument | null>
  readonly log: Log
}

/** How a request that failed is answered. */
export interface ControlError {
  readonly error: { readonly code: ErrorCode; readonly message: string }
}

/** The largest state that is taken, bytes. */
const LONGEST_BODY = 2 ** 30
/** Lines of a list that are sent at a time. */
const LINES = 1000

/**
 * What an operator may do to a running server, over a socket that only the server's own user can open:
 *
 * | request | answer |
 * |---|---|
 * | `GET /` | `{"server":"inkwire","pid":…}` |
 * | `GET /documents` | a line `{"name":…,"generation":…}` per document, in the end perhaps a line `{"error":…}` |
 * | `GET /findings` | a line `{"document":…,"generation":…,"problem":…}` per thing that is wrong with the store |
 * | `GET /document?name=…` | its state: a Yjs update (v1) |
 * | `GET /document/stored?name=…` | its pieces (`stored.ts`), with an ETag; 304 if it is still at `If-None-Match` |
 * | `GET /document/stats?name=…` | its sizes and times |
 * | `POST /document?name=…` | merges the update in the body: `{"news":true}` if anything was new |
 * | `PUT /document?name=…` | puts the state in the body in its place: `{"name":…,"generation":…}` |
 * | `DELETE /document?name=…` | removes it: `{"deleted":true}` if there was one |
 *
 * The name is a parameter and not a part of the path: there, `..` could not be a document.
 * Whatever fails is answered by `{"error":{"code":"INKWIRE_…","message":"…"}}`.
 */
export const createControlApp = ({ documents, stored, verify, log }: ControlAppDeps): Hono => {
  const app = new Hono()
  const done = (document: string, what: string): void => log.info({ document }, `by the operator: ${what}`)

  app.get('/', (c) => c.json({ server: 'inkwire', pid: process.pid }))

  app.get('/documents', (c) => c.body(lines(documents.list()), 200, NDJSON))

  app.get('/findings', (c) => c.body(lines(verify()), 200, NDJSON))

  app.get('/document', async (c) => c.body(binary(await documents.read(nameIn(c))), 200, BINARY))

  app.get('/document/stored', async (c) => {
    const name = nameIn(c)
    const document = await stored(name)
    if (!document) throw noDocument(name)
    const etag = etagOf(document)
    if (c.req.header('If-None-Match') === etag) return c.body(null, 304, { ETag: etag })
    return c.body(binary(encodeStored(document)), 200, { ...BINARY, ETag: etag })
  })

  app.get('/document/stats', async (c) => {
    const name = nameIn(c)
    const stats = await documents.stats(name)
    if (!stats) throw noDocument(name)
    return c.json(stats)
  })

  app.post('/document', async (c) => {
    const name = nameIn(c)
    const news = await documents.merge(name, await bodyOf(c))
    if (news) done(name, 'merged')
    return c.json({ news })
  })

  app.put('/document', async (c) => {
    const name = nameIn(c)
    const summary = await documents.replace(name, await bodyOf(c))
    done(name, 'replaced')
    return c.json(summary)
  })

  app.delete('/document', async (c) => {
    const name = nameIn(c)
    const deleted = await documents.delete(name)
    if (deleted) done(name, 'deleted')
    return c.json({ deleted })
  })

  app.notFound((c) =>
    answer(c, new InkwireError('INKWIRE_BAD_OPTION', 'this server does not know that request')),
  )
  app.onError((error, c) => answer(c, error))
  return app
}

const NDJSON = { 'Content-Type': 'application/x-ndjson' }
const BINARY = { 'Content-Type': 'application/octet-stream' }

/** The same bytes under the type that a response takes. */
const binary = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array<ArrayBuffer> =>
  buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength))

const nameIn = (c: Context): string => {
  const name = c.req.query('name')
  if (name === undefined) throw new InkwireError('INKWIRE_BAD_OPTION', 'which document? The name is missing')
  return name
}

const bodyOf = async (c: Context): Promise<Uint8Array> => {
  const length = Number(c.req.header('Content-Length'))
  if (!(length <= LONGEST_BODY)) {
    throw new InkwireError('INKWIRE_BAD_UPDATE', `a body needs a length, of ${LONGEST_BODY} bytes at most`)
  }
  return new Uint8Array(await c.req.arrayBuffer())
}

const etagOf = ({ generation, seq }: StoredDocument): string => `"${generation}-${seq}"`

/** A line per item. Once the first is out, an error can only be one more line. */
const lines = (list: AsyncIterable<unknown>): ReadableStream<Uint8Array> => {
  const iterator = list[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      let text = ''
      let ended = false
      try {
        for (let i = 0; i < LINES && !ended; i++) {
          const next = await iterator.next()
          if (next.done) ended = true
          else text += `${JSON.stringify(next.value)}\n`
        }
      } catch (error) {
        text += `${JSON.stringify(describe(error))}\n`
        ended = true
      }
      if (text) controller.enqueue(encoder.encode(text))
      if (ended) controller.close()
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

const describe = (error: unknown): ControlError => {
  if (error instanceof InkwireError) return { error: { code: error.code, message: error.message } }
  return {
    error: { code: 'INKWIRE_STORE_FAILED', message: error instanceof Error ? error.message : String(error) },
  }
}

const answer = (c: Context, error: unknown) => c.json(describe(error), statusOf(describe(error).error.code))

const statusOf = (code: ErrorCode) => {
  switch (code) {
    case 'INKWIRE_BAD_OPTION':
    case 'INKWIRE_BAD_NAME':
    case 'INKWIRE_BAD_UPDATE':
      return 400
    case 'INKWIRE_NO_DOCUMENT':
      return 404
    case 'INKWIRE_DOCUMENT_DAMAGED':
    case 'INKWIRE_STORE_FORMAT':
      return 409
    default:
      return 503
  }
}

const noDocument = (name: string): InkwireError =>
  new InkwireError('INKWIRE_NO_DOCUMENT', `there is no document "${name}"`)
