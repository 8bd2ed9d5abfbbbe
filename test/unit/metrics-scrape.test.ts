import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Counters } from '../../server/observe/counters.js'
import { METRICS } from '../../server/observe/metric-table.js'
import { createMetrics, type Metrics } from '../../server/observe/metrics.js'

let counters: Counters
let ready: boolean
let writingMs: number
let witnessed: boolean
let metrics: Metrics

beforeEach(() => {
  counters = new Counters()
  ready = true
  witnessed = true
  writingMs = 0
  metrics = createMetrics({
    counters,
    ready: () => ready,
    writingMs: () => writingMs,
    witnessed: () => witnessed,
  })
})

afterEach(() => metrics.close())

const scrape = async (from = metrics): Promise<Map<string, number>> => {
  const { body } = await from.render()
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}

describe('a scrape', () => {
  it('has every metric of the table, with its help and type, and no other', async () => {
    const { body, contentType } = await metrics.render()
    expect(contentType).toContain('text/plain')
    const declared = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
    expect(declared.sort()).toEqual(
      Object.values(METRICS)
        .map(({ name, type }) => `${name} ${type}`)
        .sort(),
    )
    for (const { name, help } of Object.values(METRICS)) expect(body).toContain(`# HELP ${name} ${help}`)
  })

  it('reads the counters as they are at that moment', async () => {
    counters.connections = 3
    counters.updatesOut = 1000
    counters.reject(4400)
    counters.reject(4400)
    counters.reject(4503)
    const first = await scrape()
    expect(first.get('inkwire_connections')).toBe(3)
    expect(first.get('inkwire_updates_sent_total')).toBe(1000)
    expect(first.get('inkwire_rejections_total{code="4400"}')).toBe(2)
    expect(first.get('inkwire_rejections_total{code="4503"}')).toBe(1)

    counters.connections = 2
    counters.updatesOut += 5
    counters.reject(4400)
    const second = await scrape()
    expect(second.get('inkwire_connections')).toBe(2)
    expect(second.get('inkwire_updates_sent_total')).toBe(1005)
    expect(second.get('inkwire_rejections_total{code="4400"}')).toBe(3)
  })

  it('shows each plain number of the counters', async () => {
    const numbers = Object.entries(counters).filter(([, value]) => typeof value === 'number')
    numbers.forEach(([name], index) => {
      Object.assign(counters, { [name]: 1001 + index })
    })
    const shown = new Set((await scrape()).values())
    expect(numbers.filter((_, index) => !shown.has(1001 + index)).map(([name]) => name)).toEqual([])
  })

  it('tells whether the server is ready', async () => {
    expect((await scrape()).get('inkwire_ready')).toBe(1)
    ready = false
    expect((await scrape()).get('inkwire_ready')).toBe(0)
  })

  it('tells how long the disk has not answered', async () => {
    expect((await scrape()).get('inkwire_write_under_way_seconds')).toBe(0)
    writingMs = 7500
    expect((await scrape()).get('inkwire_write_under_way_seconds')).toBe(7.5)
  })

  it('tells whether the witness works', async () => {
    expect((await scrape()).get('inkwire_witness_working')).toBe(1)
    witnessed = false
    expect((await scrape()).get('inkwire_witness_working')).toBe(0)
  })

  it('sorts what was observed into buckets', async () => {
    metrics.committed({ durationMs: 3, updates: 7 })
    metrics.committed({ durationMs: 200, updates: 1 })
    metrics.flushSize.observe(7)
    metrics.flushCost.observe(0.0003)
    const samples = await scrape()
    expect(samples.get('inkwire_commit_seconds_bucket{le="0.002"}')).toBe(0)
    expect(samples.get('inkwire_commit_seconds_bucket{le="0.005"}')).toBe(1)
    expect(samples.get('inkwire_commit_seconds_count')).toBe(2)
    expect(samples.get('inkwire_commit_seconds_sum')).toBeCloseTo(0.203)
    expect(samples.get('inkwire_commit_updates_sum')).toBe(8)
    expect(samples.get('inkwire_flush_updates_bucket{le="5"}')).toBe(0)
    expect(samples.get('inkwire_flush_updates_bucket{le="10"}')).toBe(1)
    expect(samples.get('inkwire_flush_seconds_sum')).toBeCloseTo(0.0003)
  })

  it('measures how late the event loop was since the last one', async () => {
    const longest = async (): Promise<number> =>
      (await scrape()).get('inkwire_event_loop_delay_seconds{quantile="1"}') ?? 0
    const block = (ms: number): void => {
      const until = performance.now() + ms
      while (performance.now() < until);
    }
    const turns = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
    // The monitor notices only what happens between two of its own looks.
    const deadline = performance.now() + 10_000
    let delay = 0
    while (delay < 0.1 && performance.now() < deadline) {
      await turns(60)
      block(200)
      await turns(60)
      delay = await longest()
    }
    expect(delay).toBeGreaterThan(0.1)
    expect(delay).toBeLessThan(10)
    expect(await longest()).toBeLessThan(delay)
  })
})

describe('several servers in one process', () => {
  it('count apart', async () => {
    const others = new Counters()
    const other = createMetrics({
      counters: others,
      ready: () => true,
      writingMs: () => 0,
      witnessed: () => true,
    })
    counters.rooms = 5
    others.rooms = 9
    metrics.committed({ durationMs: 1, updates: 1 })
    expect((await scrape()).get('inkwire_rooms')).toBe(5)
    expect((await scrape(other)).get('inkwire_rooms')).toBe(9)
    expect((await scrape(other)).get('inkwire_commit_seconds_count')).toBe(0)
    other.close()
    other.close()
  })
})
