import { chmod, mkdir, mkdtemp, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'

/** The socket in a data folder, and the file that says where it is instead. */
const SOCKET = 'control.sock'
const ELSEWHERE = 'control.path'
/** While the socket is made, it is in this folder of the data folder, which nobody else can enter. */
const UNFINISHED = 'control.new'

/** Longest path of a Unix socket, bytes: `sun_path` less the zero at its end. */
const LONGEST_PATH = process.platform === 'darwin' ? 103 : 107

/** Starts to listen at a path. */
export type ListenAt = (path: string) => Promise<void>

/**
 * Makes a server listen where tools look for it: at `control.sock` in the data folder. Where that can't be (its path
 * is too long for a socket, or the file system knows none), in a new folder of the temporary folder, which the file
 * `control.path` in the data folder names.
 *
 * Only this process's user can ever open the socket: it is made in a folder that nobody else can enter, and moved into
 * its place once its mode is 0600. What an earlier server left is removed. The caller has the store open, so there is
 * no other server on this folder.
 *
 * @returns where it is, and what removes it.
 * @throws Node's errors.
 */
export const placeSocket = async (
  folder: string,
  listen: ListenAt,
): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  await removeLeftovers(folder)
  const path = await placeInside(resolve(folder), listen).catch(() => placeElsewhere(folder, listen))
  return { path, remove: () => removeLeftovers(folder) }
}

/**
 * Where a tool finds the socket of the server that may be running on a data folder.
 *
 * @throws Node's errors, except for a missing file.
 */
export const findSocket = async (folder: string): Promise<string> => {
  const elsewhere = await readElsewhere(folder)
  if (elsewhere !== null) return elsewhere
  const path = resolve(folder, SOCKET)
  const fromHere = relative(process.cwd(), path)
  return Buffer.byteLength(fromHere) < Buffer.byteLength(path) ? fromHere : path
}

const placeInside = async (folder: string, listen: ListenAt): Promise<string> => {
  const unfinished = join(folder, UNFINISHED)
  const path = join(folder, SOCKET)
  await mkdir(unfinished, { mode: 0o700 })
  try {
    await listenPrivately(join(unfinished, 's'), listen)
    await rename(join(unfinished, 's'), path)
    return path
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

const placeElsewhere = async (folder: string, listen: ListenAt): Promise<string> => {
  const own = await mkdtemp(join(tmpdir(), OWN_FOLDER))
  const path = join(own, SOCKET)
  try {
    await listenPrivately(path, listen)
    await writeFile(join(folder, ELSEWHERE), path, { mode: 0o600 })
    return path
  } catch (error) {
    await rm(own, { recursive: true, force: true })
    throw error
  }
}

const OWN_FOLDER = 'inkwire-'

const listenPrivately = async (path: string, listen: ListenAt): Promise<void> => {
  // Left to the system, a path that is too long is cut, or is an error without words.
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new Error(`${path} is too long for a socket`)
  await listen(path)
  await chmod(path, 0o600)
}

const removeLeftovers = async (folder: string): Promise<void> => {
  const elsewhere = await readElsewhere(folder)
  const own = elsewhere && dirname(elsewhere)
  // Never more than what could be ours.
  if (own && basename(own).startsWith(OWN_FOLDER) && basename(elsewhere) === SOCKET) {
    await rm(elsewhere, { force: true })
    await rmdir(own).catch(() => undefined)
  }
  await rm(join(folder, ELSEWHERE), { force: true })
  await rm(join(folder, SOCKET), { force: true })
  await rm(join(folder, UNFINISHED), { recursive: true, force: true })
}

const readElsewhere = async (folder: string): Promise<string | null> => {
  try {
    return await readFile(join(folder, ELSEWHERE), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return null
    throw error
  }
}
