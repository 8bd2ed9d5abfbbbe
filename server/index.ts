/** Inkwire's server as a library: `inkwire/server`. */
export { Code, isPermanent } from '../shared/codes.js'
export { type ErrorCode, InkwireError } from '../shared/errors.js'
export type { ServerOptions } from './config.js'
export type { Address, ServerEvents } from './events.js'
export type { JournalState, UnsavedReport } from './journal/journal.js'
export type { Log, LogFields, LogLevel } from './observe/log.js'
export { createServer, type InkwireServer } from './server.js'
