/**
 * The client: a provider for Yjs documents in browsers, and in Node with a WebSocket class passed in.
 *
 * @example
 *   import { InkwireProvider } from 'inkwire/client'
 * @module inkwire/client
 */
export { Code, isPermanent } from '../shared/codes.js'
export { type ErrorCode, InkwireError } from '../shared/errors.js'
export type { Access, Durability } from '../shared/messages.js'
export type { State as ConnectionState } from './machine.js'
export type { DeviceState } from './offline/contract.js'
export type {
  Closed,
  ConnectionKind,
  InkwireEvents,
  InkwireOptions,
  Rejected,
  Reset,
  Said,
  WebSocketClass,
  WebSocketLike,
} from './options.js'
export { InkwireProvider } from './provider.js'
export type { SaveState } from './saves.js'
export type { TokenSource } from './tokens.js'
