import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** There is none, or none that may be written to: everything has to go through the stream. */
export const NO_DESCRIPTOR = -1

/**
 * The file descriptor of a socket, for {@link writeNow}. {@link NO_DESCRIPTOR} if it is anything but a plain socket of
 * Node's on a system that has descriptors: with TLS, bytes that go past the stream would be plain text.
 *
 * The number of a closed descriptor is given out again at once, maybe to a file of the store. So `closing` is called
 * before it is closed, and nothing may be written to it from then on. What closes it is the handle below the stream, by
 * one of two methods, and so these are asked and not the stream, which isn't told of everything: a socket that is given
 * to another process (`subprocess.send`) is closed without being destroyed.
 */
export const descriptorOf = (socket: Duplex, closing: () => void): number => {
  if (!(socket instanceof Socket) || socket.constructor !== Socket || socket.destroyed) return NO_DESCRIPTOR
  const handle = handleOf(socket)
  const fd = numberOf(handle)
  if (handle === null || fd === NO_DESCRIPTOR || !before(handle, 'close', closing)) return NO_DESCRIPTOR
  // A pipe has none.
  before(handle, 'reset', closing)
  return fd
}

/**
 * Hands bytes to the system, past the stream that the descriptor belongs to; nothing may be waiting in that.
 *
 * @returns how many it took. The rest, if any, is the stream's: it waits until there is room, or finds out what is
 *   wrong.
 */
export const writeNow = (fd: number, bytes: Uint8Array): number => {
  try {
    return writeSync(fd, bytes, 0, bytes.length, null)
  } catch {
    return 0
  }
}

/** Node doesn't document it, so whatever it may be one day is looked at first. */
const handleOf = (socket: object): object | null => {
  const handle: unknown = '_handle' in socket ? socket._handle : null
  return typeof handle === 'object' ? handle : null
}

const numberOf = (handle: object | null): number => {
  const fd: unknown = handle !== null && 'fd' in handle ? handle.fd : null
  return typeof fd === 'number' && Number.isInteger(fd) && fd >= 0 ? fd : NO_DESCRIPTOR
}

/** Has `task` done before a method; false if there is no such method. */
const before = (of: object, method: string, task: () => void): boolean => {
  const done: unknown = Reflect.get(of, method)
  if (typeof done !== 'function') return false
  Reflect.set(of, method, (...args: unknown[]): unknown => {
    task()
    return Reflect.apply(done, of, args)
  })
  return true
}
