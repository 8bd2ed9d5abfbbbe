import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import type { Counters } from './counters.js'
import { Histogram } from './histogram.js'
import { METRICS, type MetricEntry } from './metric-table.js'
import { stderr } from './stderr.js'

/** Takes one measured value. */
export interface Observer {
  observe(value: number): void
}

/** A server's metrics. Each server has its own; nothing is shared between several in one process. */
export interface Metrics {
  /** One group commit is durable: how long it took, milliseconds, and how many updates it held. */
  committed(commit: { readonly durationMs: number; readonly updates: number }): void
  /** How many updates a broadcast carried. */
  readonly flushSize: Observer
  /** What a broadcast took, seconds. */
  readonly flushCost: Observer
  /** Everything in Prometheus' text format. */
  render(): Promise<MetricsText>
  /** Stops measuring. Idempotent. */
  close(): void
}

/** What {@link createMetrics} reads when somebody scrapes. */
export interface MetricSources {
  readonly counters: Counters
  /** Whether the server is ready, as `/readyz` says. */
  readonly ready: () => boolean
  /** How long the journal's write that is under way has taken so far, ms; 0 when there is none. */
  readonly writingMs: () => number
  /** Whether the journal's witness works. */
  readonly witnessed: () => boolean
}

/** An answer to a scrape. */
export interface MetricsText {
  readonly contentType: string
  readonly body: string
}

const COMMIT_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
const HOW_MANY = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
const FLUSH_SECONDS = [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.1]

/** How often the event loop is asked whether it is late, ms. Rare enough to cost nothing when idle. */
const LOOP_RESOLUTION = 20

/**
 * Creates a server's metrics. The owner calls `close`.
 *
 * Counts are read from {@link Counters} when somebody scrapes, so that the hot path only ever adds numbers.
 */
export const createMetrics = ({ counters, ready, writingMs, witnessed }: MetricSources): Metrics => {
  const registry = new Registry()
  const registers = [registry]

  const describe = ({ name, help, labels }: MetricEntry) => ({ name, help, labelNames: labels, registers })

  /** A count that only grows, read at scrape time. */
  const count = (entry: MetricEntry, read: () => number): void => {
    new Counter({
      ...describe(entry),
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
  /** A value that goes up and down, read at scrape time. */
  const value = (entry: MetricEntry, read: () => number): void => {
    new Gauge({
      ...describe(entry),
      collect() {
        this.set(read())
      },
    })
  }
  value(METRICS.ready, () => (ready() ? 1 : 0))
  value(METRICS.writing, () => writingMs() / 1000)
  value(METRICS.witnessed, () => (witnessed() ? 1 : 0))
  value(METRICS.connections, () => counters.connections)
  count(METRICS.connectionsTotal, () => counters.connectionsTotal)
  value(METRICS.members, () => counters.members)
  value(METRICS.rooms, () => counters.rooms)
  count(METRICS.updatesIn, () => counters.updatesIn)
  count(METRICS.updateBytesIn, () => counters.updateBytesIn)
  count(METRICS.updatesWithoutNews, () => counters.updatesWithoutNews)
  count(METRICS.updatesOut, () => counters.updatesOut)
  count(METRICS.bytesOut, () => counters.bytesOut)
  count(METRICS.presenceIn, () => counters.presenceIn)
  count(METRICS.membersBehind, () => counters.membersBehindTotal)
  count(METRICS.slowed, () => counters.slowed)
  new Counter({
    ...describe(METRICS.rejections),
    collect() {
      this.reset()
      for (const [code, times] of counters.rejections) this.inc({ code }, times)
    },
  })
  count(METRICS.compactions, () => counters.compactions)
  count(METRICS.compactionsFailed, () => counters.compactionsFailed)

  value(METRICS.held, () => counters.heldBytes)
  count(METRICS.drops, () => counters.drops)
  count(METRICS.recalls, () => counters.recalls)
  count(METRICS.recallsFailed, () => counters.recallsFailed)

  const commitSeconds = new Histogram(METRICS.commit, COMMIT_SECONDS)
  const commitUpdates = new Histogram(METRICS.commitUpdates, HOW_MANY)
  const flushSize = new Histogram(METRICS.flushSize, HOW_MANY)
  const flushCost = new Histogram(METRICS.flushCost, FLUSH_SECONDS)
  const histograms = [commitSeconds, commitUpdates, flushSize, flushCost]

  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION })
  delay.enable()
  new Gauge({
    ...describe(METRICS.loopDelay),
    collect() {
      for (const quantile of [0.5, 0.99, 1]) this.set({ quantile }, delaySeconds(delay, quantile))
      delay.reset()
    },
  })

  // Not prom-client's collectDefaultMetrics: its observers can't be stopped, and outlive the server.
  count(METRICS.cpu, () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  value(METRICS.resident, () => process.memoryUsage.rss())
  value(METRICS.heap, () => process.memoryUsage().heapUsed)
  value(METRICS.external, () => process.memoryUsage().external)
  const started = Date.now() / 1000 - process.uptime()
  value(METRICS.started, () => started)
  count(METRICS.logLinesLost, () => stderr.lost)

  return {
    committed: ({ durationMs, updates }) => {
      commitSeconds.observe(durationMs / 1000)
      commitUpdates.observe(updates)
    },
    flushSize,
    flushCost,
    render: async () => ({
      contentType: registry.contentType,
      body: [await registry.metrics(), ...histograms.map((each) => each.text())].join('\n'),
    }),
    close: () => {
      delay.disable()
    },
  }
}

/**
 * By how much the event loop was late, seconds. Node's histogram counts the whole time between two looks, of which
 * the resolution is no delay.
 */
const delaySeconds = (delay: IntervalHistogram, quantile: number): number => {
  if (delay.count === 0) return 0
  const nanoseconds = quantile === 1 ? delay.max : delay.percentile(quantile * 100)
  return Math.max(0, nanoseconds / 1e9 - LOOP_RESOLUTION / 1000)
}
