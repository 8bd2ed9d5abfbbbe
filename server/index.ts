/**
 * Inkwire's server as a library: `inkwire/server`.
 *
 * @module inkwire/server
 */
export { Code, isPermanent } from '../shared/codes.js'
export { type ErrorCode, InkwireError } from '../shared/errors.js'
export type { Access } from '../shared/messages.js'
export type { Authorize, AuthRequest, Grant, Refusal } from './auth/authorize.js'
export { authorizeByJwt, type JwtOptions } from './auth/jwt.js'
export type { Revoked } from './auth/revocations.js'
export type { ServerOptions } from './config.js'
export type { ChangeOptions } from './documents/documents.js'
export type { Lost, RollbackOptions, RollbackReport } from './documents/rollback.js'
export type { Address, ServerEvents } from './events.js'
export type { JournalState, UnsavedReport } from './journal/journal.js'
export type { Limits } from './limits/limits.js'
export type { Log, LogFields } from './observe/log.js'
export type { LogLevel } from './observe/log-levels.js'
export { createServer, type InkwireServer } from './server.js'
