import type { Name, Running } from './contenders.js'

/** What a line found about one server: figures by name. */
export type Figures = Readonly<Record<string, number>>

/** A target of one figure of ours. */
export interface Target {
  readonly figure: string
  readonly what: string
  /** The most (or least, for `atLeast`) that it may be, given the others' figures; `null`: there is nobody to compare with. */
  readonly limit: (others: Readonly<Partial<Record<Name, Figures>>>) => number | null
  readonly atLeast?: boolean
}

/** One line of the table: a load, for every server alike. */
export interface Line {
  readonly name: string
  readonly title: string
  /** Part of the quick run. */
  readonly quick: boolean
  readonly contenders: readonly Name[]
  /**
   * How often all contenders take their turn, one after the other; default 1. Of each figure, the median counts. For what
   * a machine that others share would otherwise decide: it may be half as fast in the next minute.
   */
  readonly rounds?: number
  /** Runs the load; throws when a check fails. A server that it restarts, it hands back. */
  readonly run: (server: Running, replace: (server: Running) => void) => Promise<Figures>
  readonly targets: readonly Target[]
  /** Units of the figures. */
  readonly units: Readonly<Record<string, string>>
}

/** In the order of the table. */
export const NAMES: readonly Name[] = ['inkwire', 'y-websocket-server', 'hocuspocus', 'naive', 'floor']
/** All that relay at once; the last one is for loads in which the sockets are what costs. */
export const ALL: readonly Name[] = NAMES.filter((name) => name !== 'floor')
export const STORING: readonly Name[] = ['inkwire', 'y-websocket-server', 'hocuspocus']
const PEERS: readonly Name[] = ['y-websocket-server', 'hocuspocus']

/** A limit in relation to the best peer. */
export const timesBestPeer =
  (factor: number, figure: string, pick: 'min' | 'max' = 'min'): Target['limit'] =>
  (others) => {
    const values = PEERS.flatMap((name) => others[name]?.[figure] ?? []).filter(
      (value) => !Number.isNaN(value),
    )
    return values.length === 0 ? null : Math[pick](...values) * factor
  }

/** A limit in relation to the naive relay. */
export const timesNaive =
  (factor: number, figure: string): Target['limit'] =>
  (others) => {
    const value = others.naive?.[figure]
    return value === undefined ? null : value * factor
  }

export const fixed =
  (limit: number): Target['limit'] =>
  () =>
    limit
