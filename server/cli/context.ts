import type { ServerOptions } from '../config.js'
import type { UnsavedReport } from '../journal/journal.js'
import type { LevelJournal } from '../journal/level.js'

/** Where a command's words go. */
export interface Output {
  /** Whether a person reads it. */
  readonly isTTY?: boolean
  write(chunk: string | Uint8Array): unknown
}

/** The process around a command, handed in so that tests can be one. */
export interface Io {
  /** What the command was asked for. */
  readonly stdout: Output
  /** What went wrong, and logs. */
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** All of stdin. */
  readInput(): Promise<Uint8Array>
  /** Calls `listener` at each SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: () => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** What `serve` needs of a server. */
export interface ServerHandle {
  listen(): Promise<{ readonly url: string }>
  close(): Promise<UnsavedReport>
}

/** The parts of the house that commands work with. */
export interface Parts {
  /** Asynchronous, so that commands without a server don't wait until its modules are loaded. */
  createServer(options: ServerOptions): Promise<ServerHandle>
  /** @throws InkwireError as `openDataFolder`. */
  openJournal(options: { readonly directory: string }): Promise<LevelJournal>
}

/** What every command gets. */
export interface Context {
  readonly io: Io
  readonly parts: Parts
}

/** It worked. */
export const OK = 0
/** It didn't; stderr says why. */
export const FAILED = 1
/** It was asked for in a way that can't be understood. */
export const USAGE = 2
