import { open, rename } from 'node:fs/promises'

/** Writes a file and fsyncs it; it is not sure to be in its folder before {@link syncFolder}. */
export const writeSynced = async (path: string, bytes: Uint8Array | string): Promise<void> => {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Puts a file in the place of another: a crash leaves the old one or the new one. */
export const replaceFile = async (
  folder: string,
  path: string,
  bytes: Uint8Array | string,
): Promise<void> => {
  const unfinished = `${path}.new`
  await writeSynced(unfinished, bytes)
  await rename(unfinished, path)
  await syncFolder(folder)
}

/** Makes it last which files are in a folder. */
export const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Whether an error of Node's says that a file isn't there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
