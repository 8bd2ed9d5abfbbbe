import type { MetricEntry } from './metric-table.js'

/**
 * A histogram without labels, whose text is only made when somebody scrapes: prom-client's looks up its labels for
 * every value, which at a thousand flushes a second is felt.
 *
 * @example
 *   const sizes = new Histogram(METRICS.flushSize, [1, 10])
 *   sizes.observe(7)
 *   sizes.text() // … inkwire_flush_updates_bucket{le="1"} 0, {le="10"} 1, {le="+Inf"} 1, sum 7, count 1
 */
export class Histogram {
  readonly #entry: MetricEntry
  /** Upper bounds, ascending. */
  readonly #bounds: readonly number[]
  /** How many values fell between each bound and the one before; at the end, beyond them all. */
  readonly #counts: Float64Array
  #sum = 0

  constructor(entry: MetricEntry, bounds: readonly number[]) {
    this.#entry = entry
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let at = 0
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#sum += value
  }

  /** In Prometheus' text format, where each bucket counts what is in those before it, too. */
  text(): string {
    const { name, help, type } = this.#entry
    let count = 0
    const buckets = [...this.#counts].map((values, at) => {
      count += values
      return `${name}_bucket{le="${this.#bounds[at] ?? '+Inf'}"} ${count}`
    })
    const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...buckets]
    return `${[...lines, `${name}_sum ${this.#sum}`, `${name}_count ${count}`].join('\n')}\n`
  }
}
