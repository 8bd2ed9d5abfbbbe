/** One family of metrics at `GET /metrics`. */
export interface MetricEntry {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

const counter = (name: string, help: string, ...labels: string[]): MetricEntry => ({
  name,
  type: 'counter',
  labels,
  help,
})
const gauge = (name: string, help: string, ...labels: string[]): MetricEntry => ({
  name,
  type: 'gauge',
  labels,
  help,
})
const histogram = (name: string, help: string): MetricEntry => ({ name, type: 'histogram', labels: [], help })

/** Every metric of a server, in the words that a scrape shows. Sizes are in bytes and times in seconds. */
export const METRICS = {
  ready: gauge('inkwire_ready', '1 when /readyz answers 200, otherwise 0.'),
  writing: gauge(
    'inkwire_write_under_way_seconds',
    'How long the write to the disk that is under way has taken so far; 0 when there is none.',
  ),
  witnessed: gauge(
    'inkwire_witness_working',
    '1 while the journal has a witness that can be written, otherwise 0: last updates could vanish unnoticed.',
  ),
  connections: gauge('inkwire_connections', 'Open connections.'),
  connectionsTotal: counter('inkwire_connections_total', 'Connections accepted.'),
  members: gauge(
    'inkwire_members',
    'Clients on documents: one for each connection, and for each document on a shared connection.',
  ),
  rooms: gauge('inkwire_rooms', 'Documents in memory.'),
  updatesIn: counter('inkwire_updates_received_total', 'Updates received.'),
  updateBytesIn: counter('inkwire_update_received_bytes_total', 'Bytes of the updates received.'),
  updatesWithoutNews: counter(
    'inkwire_updates_without_news_total',
    'Updates received that held nothing new: neither stored nor sent on.',
  ),
  updatesOut: counter('inkwire_updates_sent_total', 'Updates sent, counted once per receiver.'),
  bytesOut: counter(
    'inkwire_sent_bytes_total',
    'Bytes of WebSocket frames sent, headers, pings and close frames included; no handshakes, no plain HTTP.',
  ),
  presenceIn: counter('inkwire_presence_received_total', 'Presence messages received.'),
  membersBehind: counter(
    'inkwire_members_behind_total',
    'Connections that read too slowly and had to be caught up from the journal.',
  ),
  slowed: counter(
    'inkwire_slowed_total',
    'Times that a connection sent too fast and was read from more slowly.',
  ),
  rejections: counter(
    'inkwire_rejections_total',
    'Connections closed and messages refused, by code.',
    'code',
  ),
  compactions: counter('inkwire_compactions_total', 'Documents compacted.'),
  compactionsFailed: counter('inkwire_compactions_failed_total', 'Compactions that failed.'),
  held: gauge(
    'inkwire_snapshot_held_bytes',
    'Snapshots and answers in memory: what --memory-budget bounds, as it could be read or made again.',
  ),
  drops: counter(
    'inkwire_snapshot_drops_total',
    'Times that a document let go of its snapshot and answers to stay within --memory-budget.',
  ),
  recalls: counter('inkwire_snapshot_rereads_total', 'Snapshots read again from the store after that.'),
  recallsFailed: counter('inkwire_snapshot_rereads_failed_total', 'Snapshots that could not be read again.'),
  commit: histogram(
    'inkwire_commit_seconds',
    'What one group commit took, from its write until it is durable.',
  ),
  commitUpdates: histogram('inkwire_commit_updates', 'Updates that one group commit held.'),
  flushSize: histogram('inkwire_flush_updates', 'Updates that one broadcast to a document carried.'),
  flushCost: histogram('inkwire_flush_seconds', 'What one broadcast to all members of a document took.'),
  loopDelay: gauge(
    'inkwire_event_loop_delay_seconds',
    'Delay of the event loop since the last scrape; the quantile "1" is the longest.',
    'quantile',
  ),
  logLinesLost: counter(
    'inkwire_log_lines_dropped_total',
    'Lines that the process lost as its stderr could not be written.',
  ),
  cpu: counter('process_cpu_seconds_total', 'CPU time of the process, worker threads included.'),
  resident: gauge('process_resident_memory_bytes', 'Memory of the process.'),
  heap: gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.'),
  external: gauge('nodejs_external_memory_bytes', 'Memory of buffers outside of the heap.'),
  started: gauge('process_start_time_seconds', 'When the process started, seconds since 1970.'),
} as const satisfies Readonly<Record<string, MetricEntry>>
