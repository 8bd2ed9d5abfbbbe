import { type Context, Hono } from 'hono'
import { type ErrorCode, InkwireError } from '../../shared/errors.js'
import type { Revoked } from '../auth/revocations.js'
import type { ChangeOptions, Documents } from '../documents/documents.js'
import type { StoredDocument } from '../journal/journal.js'
import type { Finding } from '../journal/verify.js'
import type { Log } from '../observe/log.js'
import { encodeStored } from './stored.js'

/** What the control channel reaches of a running server. */
export interface ControlAppDeps {
  readonly documents: Pick<Documents, 'list' | 'stats' | 'read' | 'merge' | 'replace' | 'delete' | 'rollback'>
  readonly users: RevokedUsers
  /** Everything that is wrong with the store. */
  readonly verify: () => AsyncIterable<Finding>
  /** How many documents are not in the catalog any more, though nobody deleted them. */
  readonly lost: () => Promise<number>
  /** A document's pieces, as they are durable now. */
  readonly stored: (name: string) => Promise<StoredDocument | null>
  readonly log: Log
}

/** Who may not come in any more, whatever their token says. */
export interface RevokedUsers {
  /** Closes a user's connections and refuses what was issued to them so far. */
  revoke(user: string): Promise<{ readonly closed: number }>
  /** Takes that back; whether there was anything to take back. */
  unrevoke(user: string): Promise<boolean>
  /** All of them, since when. */
  revoked(): Promise<readonly Revoked[]>
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
 * | `GET /lost` | `{"lost":…}`: how many documents are gone that nobody deleted |
 * | `GET /document?name=…` | its state: a Yjs update (v1) |
 * | `GET /document/stored?name=…` | its pieces (`stored.ts`), with an ETag; 304 if it is still at `If-None-Match` |
 * | `GET /document/stats?name=…` | its sizes and times |
 * | `POST /document?name=…` | merges the update in the body: `{"news":true}` if anything was new |
 * | `PUT /document?name=…` | puts the state in the body in its place: `{"name":…,"generation":…}` |
 * | `DELETE /document?name=…` | removes it: `{"deleted":true}` if there was one |
 * | `POST /document/rollback?name=…&before=…` | puts it back to before a moment (ISO 8601): what was lost; `revoke=…` |
 * | `GET /document/rollback?name=…&before=…` | the same as words only: what would be lost |
 * | `GET /revocations` | a line `{"user":…,"since":…}` per revoked user |
 * | `POST /revocation?user=…` | revokes a user: `{"closed":…}` connections |
 * | `DELETE /revocation?user=…` | takes it back: `{"restored":true}` if there was one |
 *
 * The name is a parameter and not a part of the path: there, `..` could not be a document. Moments that are answered
 * are milliseconds since 1970.
 * What removes or replaces a document isn't done for a caller who hangs up before it has begun.
 * Whatever fails is answered by `{"error":{"code":"INKWIRE_…","message":"…"}}`.
 */
export const createControlApp = (deps: ControlAppDeps): Hono => {
  const { documents, users, stored, verify, lost, log } = deps
  const app = new Hono()
  const done = (document: string, what: string): void => log.info({ document }, `by the operator: ${what}`)

  app.get('/', (c) => c.json({ server: 'inkwire', pid: process.pid }))

  app.get('/documents', (c) => c.body(lines(documents.list()), 200, NDJSON))

  app.get('/findings', (c) => c.body(lines(verify()), 200, NDJSON))

  app.get('/lost', async (c) => c.json({ lost: await lost() }))

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
    const summary = await documents.replace(name, await bodyOf(c), asked(c))
    done(name, 'replaced')
    return c.json(summary)
  })

  app.delete('/document', async (c) => {
    const name = nameIn(c)
    const deleted = await documents.delete(name, asked(c))
    if (deleted) done(name, 'deleted')
    return c.json({ deleted })
  })

  app.get('/document/rollback', async (c) =>
    c.json(await documents.rollback(nameIn(c), momentIn(c), { dryRun: true })),
  )

  app.post('/document/rollback', async (c) => {
    const name = nameIn(c)
    const before = momentIn(c)
    const revoke = c.req.query('revoke')
    const report = await documents.rollback(name, before, { revoke, ...asked(c) })
    if (revoke !== undefined) log.info({ user: revoke }, 'by the operator: revoked')
    if (report.lost) done(name, `rolled back to before ${before.toISOString()}`)
    return c.json(report)
  })

  app.get('/revocations', async (c) => c.body(lines(each(await users.revoked())), 200, NDJSON))

  app.post('/revocation', async (c) => {
    const user = userIn(c)
    const { closed } = await users.revoke(user)
    log.info({ user, closed }, 'by the operator: revoked')
    return c.json({ closed })
  })

  app.delete('/revocation', async (c) => {
    const user = userIn(c)
    const restored = await users.unrevoke(user)
    if (restored) log.info({ user }, 'by the operator: no longer revoked')
    return c.json({ restored })
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
  if (name === undefined) throw bad('which document? The name is missing')
  return name
}

const userIn = (c: Context): string => {
  const user = c.req.query('user')
  if (user === undefined) throw bad('which user? The id is missing')
  return user
}

const momentIn = (c: Context): Date => {
  const moment = new Date(c.req.query('before') ?? '')
  if (Number.isNaN(moment.getTime())) throw bad('before which moment? The time is missing')
  return moment
}

/** Who asks may be gone before it is done: killed, or tired of waiting. */
const asked = (c: Context): ChangeOptions => ({ signal: c.req.raw.signal })

const bad = (what: string): InkwireError => new InkwireError('INKWIRE_BAD_OPTION', what)

async function* each<T>(list: readonly T[]): AsyncGenerator<T, void, void> {
  yield* list
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
    case 'INKWIRE_NO_HISTORY':
      return 409
    default:
      return 503
  }
}

const noDocument = (name: string): InkwireError =>
  new InkwireError('INKWIRE_NO_DOCUMENT', `there is no document "${name}"`)
