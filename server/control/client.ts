import { Agent, type IncomingMessage, request } from 'node:http'
import { buffer, json } from 'node:stream/consumers'
import { z } from 'zod'
import { type ErrorCode, InkwireError } from '../../shared/errors.js'
import type { Revoked } from '../auth/revocations.js'
import type { RollbackOptions, RollbackReport } from '../documents/rollback.js'
import type { DocumentStats, DocumentSummary, StoredDocument } from '../journal/journal.js'
import type { Finding } from '../journal/verify.js'
import { findSocket } from './socket.js'
import { decodeStored } from './stored.js'

/** A server that doesn't answer within this time isn't there, ms. */
const GREETING_MS = 5000
/** Connections at a time. */
const CONNECTIONS = 8

const greeting = z.object({ server: z.literal('inkwire') })
const summary = z.object({ name: z.string(), generation: z.string() })
const stats = summary.extend({
  seq: z.number(),
  snapshotBytes: z.number(),
  tailUpdates: z.number(),
  tailBytes: z.number(),
  created: z.number(),
  lastWrite: z.number(),
})
const finding = z.object({
  document: z.string().nullable(),
  generation: z.string().nullable(),
  problem: z.string(),
})
const inSum = z.object({ updates: z.number(), bytes: z.number(), first: z.number(), last: z.number() })
const rollback = summary.extend({
  lost: inSum.extend({ authors: z.array(inSum.extend({ author: z.string() })) }).nullable(),
})
const revoked = z.object({ user: z.string(), since: z.number() })
const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Gives up when nothing arrives for so long, ms. Default: never, since some work takes long. */
  readonly timeoutMs?: number
}

interface Answer {
  readonly status: number
  readonly body: AsyncGenerator<Uint8Array, void, void>
}

/**
 * Connects to the server that is running on a data folder; `null` when nobody listens there, or not one of ours.
 *
 * @param patienceMs after this time without an answer, ms, whatever listens there is taken for a server that is stuck.
 * @throws InkwireError INKWIRE_STORE_LOCKED when one is.
 * @throws Error when only another user may ask: then the store is another user's, too.
 * @example
 *   const running = await connectControl('./data')
 *   if (running) console.log(await running.stats('notes'))
 */
export const connectControl = async (
  folder: string,
  patienceMs = GREETING_MS,
): Promise<ControlClient | null> => {
  const client = new ControlClient(await findSocket(folder))
  const greeting = await client.greets(patienceMs)
  if (greeting === 'ours') return client
  client.close()
  if (greeting === 'none') return null
  throw inUse(folder, `something listens at ${client.socketPath} and does not answer`)
}

/**
 * Makes sure that no server answers on a data folder, before it is opened. The stores' own locks see to it as well, as
 * long as nobody takes their files for stale ones and removes them: two who write into one store destroy it.
 *
 * @throws InkwireError INKWIRE_STORE_LOCKED when one does.
 */
export const refuseIfServed = async (folder: string): Promise<void> => {
  const server = await connectControl(folder)
  if (!server) return
  server.close()
  throw inUse(folder, `it answers at ${server.socketPath}`)
}

const inUse = (folder: string, how: string): InkwireError =>
  new InkwireError('INKWIRE_STORE_LOCKED', `the data folder ${folder} is in use by another server: ${how}`)

/**
 * The documents of a running server, through its control socket.
 *
 * All methods reject with what the server says was wrong, or INKWIRE_STORE_CLOSED when it went away.
 */
export class ControlClient {
  readonly socketPath: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })

  constructor(socketPath: string) {
    this.socketPath = socketPath
  }

  /**
   * Whether a server of ours answers; `silent`: somebody listens, and says nothing for so long.
   *
   * @throws Error when this process's user may not ask.
   */
  async greets(timeoutMs: number): Promise<'ours' | 'silent' | 'none'> {
    try {
      const answer = await this.#json('/', { timeoutMs })
      return greeting.safeParse(answer).success ? 'ours' : 'none'
    } catch (error) {
      if (isDenied(error)) {
        const whose = 'it is of a server that another user runs, and only that user may use it'
        throw new Error(`${this.socketPath}: ${whose} (EACCES)`, { cause: error })
      }
      return error instanceof InkwireError && error.cause instanceof Silence ? 'silent' : 'none'
    }
  }

  async *list(): AsyncGenerator<DocumentSummary, void, void> {
    for await (const value of this.#lines('/documents')) yield summary.parse(value)
  }

  /** Everything that is wrong with the store. */
  async *verify(): AsyncGenerator<Finding, void, void> {
    for await (const value of this.#lines('/findings')) yield finding.parse(value)
  }

  async lost(): Promise<number> {
    return z.object({ lost: z.number() }).parse(await this.#json('/lost')).lost
  }

  stats(name: string): Promise<DocumentStats | null> {
    return orNull(async () => stats.parse(await this.#json(at('/document/stats', name))))
  }

  read(name: string): Promise<StoredDocument | null> {
    return orNull(async () => {
      const answer = await this.#ask(at('/document/stored', name))
      return decodeStored(name, await buffer(answer.body))
    })
  }

  /** As {@link read}, or `unchanged` when the document is still at this version. */
  readUnless(
    version: Pick<StoredDocument, 'generation' | 'seq'>,
    name: string,
  ): Promise<StoredDocument | 'unchanged' | null> {
    const headers = { 'If-None-Match': `"${version.generation}-${version.seq}"` }
    return orNull(async () => {
      const answer = await this.#ask(at('/document/stored', name), { headers })
      const body = await buffer(answer.body)
      return answer.status === 304 ? 'unchanged' : decodeStored(name, body)
    })
  }

  async merge(name: string, update: Uint8Array): Promise<boolean> {
    const answer = await this.#json(at('/document', name), { method: 'POST', body: update })
    return z.object({ news: z.boolean() }).parse(answer).news
  }

  async replace(name: string, update: Uint8Array): Promise<DocumentSummary> {
    return summary.parse(await this.#json(at('/document', name), { method: 'PUT', body: update }))
  }

  async delete(name: string): Promise<boolean> {
    const answer = await this.#json(at('/document', name), { method: 'DELETE' })
    return z.object({ deleted: z.boolean() }).parse(answer).deleted
  }

  async rollback(
    name: string,
    before: Date,
    { dryRun = false, revoke }: RollbackOptions = {},
  ): Promise<RollbackReport> {
    const revoking = revoke === undefined ? '' : `&revoke=${encodeURIComponent(revoke)}`
    const path = `${at('/document/rollback', name)}&before=${before.toISOString()}${revoking}`
    return rollback.parse(await this.#json(path, { method: dryRun ? 'GET' : 'POST' }))
  }

  /** Closes a user's connections and refuses what was issued to them so far; returns how many were closed. */
  async revoke(user: string): Promise<number> {
    const answer = await this.#json(of('/revocation', user), { method: 'POST' })
    return z.object({ closed: z.number() }).parse(answer).closed
  }

  /** Takes that back; whether there was anything to take back. */
  async unrevoke(user: string): Promise<boolean> {
    const answer = await this.#json(of('/revocation', user), { method: 'DELETE' })
    return z.object({ restored: z.boolean() }).parse(answer).restored
  }

  /** Who is revoked, and since when. */
  async *revoked(): AsyncGenerator<Revoked, void, void> {
    for await (const value of this.#lines('/revocations')) yield revoked.parse(value)
  }

  /** Lets go of the connections. */
  close(): void {
    this.#agent.destroy()
  }

  async *#lines(path: string): AsyncGenerator<unknown, void, void> {
    for await (const line of linesOf((await this.#ask(path)).body)) {
      const value: unknown = JSON.parse(line)
      throwFailure(value)
      yield value
    }
  }

  async #json(path: string, ask?: Ask): Promise<unknown> {
    return json((await this.#ask(path, ask)).body)
  }

  async #ask(path: string, ask: Ask = {}): Promise<Answer> {
    const { method = 'GET', headers = {}, body, timeoutMs } = ask
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const length = body ? { 'Content-Length': body.length } : {}
      const asking = request({
        socketPath: this.socketPath,
        agent: this.#agent,
        path,
        method,
        headers: { ...headers, ...length },
        ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      })
      asking.once('response', resolve)
      asking.once('error', reject)
      asking.once('timeout', () => asking.destroy(new Silence('it does not answer')))
      asking.end(body)
    }).catch(wentAway)
    const { statusCode: status = 500 } = answer
    if (status < 400) return { status, body: chunksOf(answer) }
    throwFailure(await json(chunksOf(answer)))
    throw new InkwireError('INKWIRE_STORE_FAILED', `the running server answered ${status}`)
  }
}

const isDenied = (error: unknown): boolean =>
  error instanceof InkwireError &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'EACCES'

/** What a request ends with that nobody answered in time. */
class Silence extends Error {}

const wentAway = (cause: unknown): never => {
  throw new InkwireError('INKWIRE_STORE_CLOSED', 'the running server went away', { cause })
}

async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* answer
  } catch (cause) {
    wentAway(cause)
  }
}

const at = (path: string, name: string): string => `${path}?name=${encodeURIComponent(name)}`

const of = (path: string, user: string): string => `${path}?user=${encodeURIComponent(user)}`

const throwFailure = (value: unknown): void => {
  const failed = failure.safeParse(value)
  // Of a newer server it may be a code that this program has never heard of; it is shown all the same.
  if (failed.success) throw new InkwireError(failed.data.error.code as ErrorCode, failed.data.error.message)
}

const orNull = async <T>(work: () => Promise<T>): Promise<T | null> => {
  try {
    return await work()
  } catch (error) {
    if (error instanceof InkwireError && error.code === 'INKWIRE_NO_DOCUMENT') return null
    throw error
  }
}

/** Node's readline splits at U+2028 as well, which is a character like others in JSON. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
