import { Counters } from '../../server/observe/counters.js'
import type { LineOptions } from '../../server/websocket/line.js'
import { Outflow } from '../../server/websocket/outflow.js'

/** How a server sets up what goes out over a socket; more than `maxBufferedBytes` waiting is congestion. */
export const lineOptions = (maxBufferedBytes = 1024 * 1024): LineOptions => ({
  counters: new Counters(),
  maxBufferedBytes,
  outflow: new Outflow(setImmediate),
})
