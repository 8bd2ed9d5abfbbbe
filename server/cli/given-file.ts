import { readFile } from 'node:fs/promises'

/** Reads a file that somebody named. When that fails, the error has its path, which Node's of a folder has not. */
export const readGivenFile = async (path: string): Promise<Buffer> => {
  try {
    return await readFile(path)
  } catch (error) {
    throw error instanceof Error && !('path' in error) ? Object.assign(error, { path }) : error
  }
}
