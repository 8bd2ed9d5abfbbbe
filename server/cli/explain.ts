import { InkwireError } from '../../shared/errors.js'
import { FAILED, USAGE } from './context.js'

/** An error as one line for a person, and the exit code that goes with it. */
export const explain = (error: unknown): { readonly line: string; readonly exitCode: number } => {
  if (error instanceof InkwireError) {
    const usage = error.code === 'INKWIRE_BAD_OPTION' || error.code === 'INKWIRE_BAD_NAME'
    return { line: `${oneLine(error.message)} (${error.code})`, exitCode: usage ? USAGE : FAILED }
  }
  if (isSystemError(error)) return { line: systemLine(error), exitCode: FAILED }
  return { line: oneLine(error instanceof Error ? error.message : String(error)), exitCode: FAILED }
}

/** What Node throws when the operating system says no. */
interface SystemError extends Error {
  readonly code: string
  readonly syscall: string
  readonly path?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
}

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'code' in error && 'syscall' in error

const systemLine = (error: SystemError): string => {
  switch (error.syscall) {
    case 'listen':
      return listenLine(error)
    case 'getaddrinfo':
      return `there is no host "${error.hostname}" to listen at (${error.code})`
    default:
      return `${error.path ?? error.syscall}: ${REASONS.get(error.code) ?? oneLine(error.message)} (${error.code})`
  }
}

const listenLine = ({ code, address, port, message }: SystemError): string => {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use at ${address}: choose another by --port, or 0 for a free one (${code})`
    case 'EACCES':
      return `port ${port} may not be used by this user (${code})`
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine (${code})`
    default:
      return oneLine(message)
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'no permission'],
  ['EPERM', 'no permission'],
  ['EROFS', 'the file system is read-only'],
  ['ENOENT', 'no such file or folder'],
  ['EEXIST', 'there is a file in the place of the folder'],
  ['ENOTDIR', 'not a folder'],
  ['EISDIR', 'a folder, not a file'],
  ['ENOSPC', 'the disk is full'],
])

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ')
