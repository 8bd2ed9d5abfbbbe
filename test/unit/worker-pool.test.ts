import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from '../../server/worker/pool.js'

let folder: string
/** The real worker, as JavaScript. */
let entry: URL
/** A worker whose jobs misbehave in the way that the first byte of the update says. */
let poison: URL
let pool: WorkerPool

const FOREVER = 1
const MEMORY = 2
const EXIT = 3
/** As long as `FOREVER`, but without using a core up. */
const ASLEEP = 4

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inkwire-pool-'))
  // The dependencies are found as if the file lay in the project.
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'))
  entry = pathToFileURL(join(folder, 'worker.mjs'))
  await build({
    entryPoints: [fileURLToPath(new URL('../../server/worker/worker.ts', import.meta.url))],
    outfile: fileURLToPath(entry),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  poison = pathToFileURL(join(folder, 'poison.mjs'))
  await writeFile(
    poison,
    `export const compact = ({ bytes }) => {
      if (bytes[0] === ${FOREVER}) for (;;);
      // 240 MB of heap.
      const held = bytes[0] === ${MEMORY} ? Array.from({ length: 300 }, () => new Array(100_000).fill(0.5)) : []
      if (held.length === 1) return null
      if (bytes[0] === ${EXIT}) process.exit(7)
      if (bytes[0] === ${ASLEEP}) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      return { update: bytes, stateVector: bytes }
    }`,
  )
})

afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => pool.destroy())

const open = (options: WorkerPoolOptions = {}): WorkerPool => {
  pool = createWorkerPool({ entry, ...options })
  return pool
}

const update = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const job = (...bytes: number[]) => ({ snapshot: null, updates: [Uint8Array.from(bytes)] })

/** What a thread may take to start on a busy machine, ms: a job that comes after a killed one needs a new one. */
const STARTS_WITHIN_MS = 3000

describe('the worker pool', () => {
  it('compacts in a thread and leaves the caller its bytes', async () => {
    const updates = [update('one'), update('two')]
    const before = updates.map((bytes) => bytes.slice())
    const compacted = await open().compact({ snapshot: null, updates })
    const doc = new Y.Doc()
    Y.applyUpdate(doc, compacted.update)
    expect(['onetwo', 'twoone']).toContain(doc.getText('text').toString())
    expect(compacted.stateVector).toEqual(Y.encodeStateVector(doc))
    expect(updates).toEqual(before)
  })

  it('renders in a thread', async () => {
    const rendered = await open().render({ snapshot: update('hello'), updates: [], format: 'json' })
    expect(JSON.parse(rendered)).toEqual({ text: 'hello' })
  })

  it('keeps the code of an error', async () => {
    const asked = open().render({ snapshot: update('x'), updates: [], format: 'text', root: 'other' })
    await expect(asked).rejects.toMatchObject({ code: 'INKWIRE_BAD_OPTION' })
  })

  it('rejects bytes that are no update, and goes on', async () => {
    open()
    await expect(pool.compact(job(1, 1, 1))).rejects.toMatchObject({ code: 'INKWIRE_BAD_UPDATE' })
    await expect(pool.compact(job(0, 0))).resolves.toMatchObject({ update: Uint8Array.of(0, 0) })
  })

  it('survives an update that claims 33 million structs', async () => {
    open({ memoryMb: 64 })
    const bomb = job(1, 255, 255, 255, 15, 1, 0)
    await expect(pool.compact(bomb)).rejects.toMatchObject({ code: 'INKWIRE_BAD_UPDATE' })
    await expect(pool.compact(job(0, 0))).resolves.toBeDefined()
  })

  it('kills the thread of a job that takes too long, and goes on', async () => {
    open({ entry: poison, timeoutMs: STARTS_WITHIN_MS })
    const endless = pool.compact(job(FOREVER))
    const behind = pool.compact(job(0))
    await expect(endless).rejects.toMatchObject({ code: 'INKWIRE_TIMEOUT' })
    await expect(behind).resolves.toBeDefined()
  })

  it('does not count the time a job waits for its turn', async () => {
    open({ entry: poison, timeoutMs: STARTS_WITHIN_MS })
    const [first, second, third] = await Promise.allSettled([
      pool.compact(job(ASLEEP)),
      pool.compact(job(ASLEEP)),
      pool.compact(job(0)),
    ])
    expect([first.status, second.status, third.status]).toEqual(['rejected', 'rejected', 'fulfilled'])
  })

  it('kills the thread of a job that takes too much memory, and goes on', async () => {
    open({ entry: poison, memoryMb: 32 })
    await expect(pool.compact(job(MEMORY))).rejects.toMatchObject({
      code: 'INKWIRE_BAD_UPDATE',
      message: expect.stringContaining('memory'),
    })
    await expect(pool.compact(job(0))).resolves.toBeDefined()
    await pool.destroy()
    open({ entry: poison, memoryMb: 512 })
    await expect(pool.compact(job(MEMORY))).resolves.toBeDefined()
  })

  it('rejects the job of a thread that exits, and goes on', async () => {
    open({ entry: poison })
    await expect(pool.compact(job(EXIT))).rejects.toMatchObject({ code: 'INKWIRE_BAD_UPDATE' })
    await expect(pool.compact(job(0))).resolves.toBeDefined()
  })

  it('rejects at once when the program of its threads can not be loaded', async () => {
    open({ entry: new URL('./missing.mjs', entry) })
    await expect(pool.compact(job(0))).rejects.toMatchObject({ code: 'INKWIRE_BAD_UPDATE' })
  })

  it('rejects everything when destroyed, also what runs and what waits', async () => {
    open({ entry: poison })
    const jobs = [pool.compact(job(FOREVER)), pool.compact(job(0))]
    const settled = Promise.allSettled(jobs)
    await pool.destroy()
    const late = pool.compact(job(0))
    for (const result of [...(await settled), ...(await Promise.allSettled([late]))]) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'INKWIRE_DESTROYED' } })
    }
    await pool.destroy()
  })
})
