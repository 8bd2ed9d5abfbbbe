import { Piscina } from 'piscina'
import { InkwireError } from '../../shared/errors.js'
import type { Compacted, CompactJob } from './compact.js'
import { packJob } from './pack.js'
import type { RenderFormat } from './render.js'
import { Slots } from './slots.js'
import type { RenderMessage, RenderReply } from './worker.js'

/** What a Y.Doc is made of lives until the job ends: 48 MiB for what is young, the default, save nothing. */
const YOUNG_MB = 6

/** How much the heavy work may take. */
export interface WorkerPoolOptions {
  /** Threads at most. Default 1: the second core belongs to the event loop. */
  readonly maxThreads?: number
  /** Longest time one job may run before its thread is killed, ms. Default 60,000. */
  readonly timeoutMs?: number
  /** JavaScript heap one job may fill before its thread is killed, MiB. Default 1,024. */
  readonly memoryMb?: number
  /** How long an idle thread lives on, ms. Default 500: it holds what its last job took, some 40 MB. */
  readonly idleMs?: number
  /** The threads' program. Default: `entry.cjs` beside this module. */
  readonly entry?: URL
}

/** What {@link WorkerPool.render} takes. */
export interface RenderJob extends CompactJob {
  readonly format: RenderFormat
  /** Only this root. */
  readonly root?: string
}

/**
 * Runs what needs a `Y.Doc` off the event loop. The caller's bytes are copied, never detached;
 * they mustn't change before the job ends.
 *
 * Every job rejects with an InkwireError: INKWIRE_BAD_UPDATE when Yjs can't make anything of the bytes or needs too
 * much memory for them, INKWIRE_TIMEOUT when it takes too long, INKWIRE_DESTROYED after {@link destroy}.
 * A job that dies takes only its thread along.
 */
export interface WorkerPool {
  /** A snapshot and its tail as one new snapshot; see `compactUpdates`. */
  compact(job: CompactJob): Promise<Compacted>
  /**
   * A document as text or JSON; see `renderDocument`.
   *
   * @throws also InkwireError INKWIRE_BAD_OPTION when there is no such root.
   */
  render(job: RenderJob): Promise<string>
  /** Kills the threads; everything under way and all later jobs reject. Idempotent. */
  destroy(): Promise<void>
}

/** Creates a pool that starts no thread before the first job. */
export const createWorkerPool = (options: WorkerPoolOptions = {}): WorkerPool => {
  const { maxThreads = 1, timeoutMs = 60_000, memoryMb = 1024, idleMs = 500 } = options
  const entry = options.entry ?? new URL('./entry.cjs', import.meta.url)
  const slots = new Slots(maxThreads)
  const running = new Set<AbortController>()
  let pool: Piscina | null = null
  let destroyed = false

  const start = (): Piscina => {
    const started = new Piscina({
      filename: entry.href,
      minThreads: 0,
      maxThreads,
      idleTimeout: idleMs,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
    })
    // A thread that fails before it took its job: without this the job would wait for its time to run out.
    started.on('error', (error: Error) => {
      for (const controller of running) controller.abort(error)
    })
    return started
  }

  const run = async (name: string, task: object, transferList: ArrayBuffer[]): Promise<unknown> => {
    if (destroyed) throw gone()
    const controller = new AbortController()
    const tooLong = new InkwireError('INKWIRE_TIMEOUT', `${name} took longer than ${timeoutMs} ms`)
    const timer = setTimeout(() => controller.abort(tooLong), timeoutMs)
    running.add(controller)
    pool ??= start()
    try {
      return await pool.run(task, { name, transferList, signal: controller.signal })
    } catch (cause) {
      if (destroyed) throw gone()
      if (controller.signal.reason === tooLong) throw tooLong
      const reason: unknown = controller.signal.aborted ? controller.signal.reason : cause
      throw new InkwireError('INKWIRE_BAD_UPDATE', `${name} failed: ${messageOf(reason)}`, { cause: reason })
    } finally {
      clearTimeout(timer)
      running.delete(controller)
    }
  }

  /** The clock of a job runs from here, not from when it was asked for; and it is packed only now. */
  const inTurn = async <T>(job: () => Promise<T>): Promise<T> => {
    if (destroyed) throw gone()
    await slots.enter()
    try {
      if (destroyed) throw gone()
      return await job()
    } finally {
      slots.leave()
    }
  }

  return {
    compact: (job) =>
      inTurn(async () => {
        const packed = await packJob(job)
        // What `compact` of worker.ts returns.
        return (await run('compact', packed, [packed.lengths.buffer, packed.bytes.buffer])) as Compacted
      }),
    render: ({ snapshot, updates, format, root }) =>
      inTurn(async () => {
        const packed = await packJob({ snapshot, updates })
        const message: RenderMessage = { packed, format, root }
        const transfer = [packed.lengths.buffer, packed.bytes.buffer]
        const reply = (await run('render', message, transfer)) as RenderReply
        if (!reply.ok) throw new InkwireError(reply.code, reply.message)
        return reply.text
      }),
    destroy: async () => {
      destroyed = true
      slots.refuseAll(gone())
      await pool?.destroy()
    },
  }
}

const gone = (): InkwireError => new InkwireError('INKWIRE_DESTROYED', 'the worker pool was destroyed')

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
