import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { SourceDocument } from './source.js'

/**
 * The state files in a folder and those below it: every `.yjs` and `.bin` file, each one Yjs update (v1). A document is
 * called as its file's path from the folder, without the ending.
 *
 * @param nameOf what a document is to be called here, given that path, with slashes.
 */
export const findStateFiles = async (
  folder: string,
  nameOf: (raw: string) => string,
): Promise<SourceDocument[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && /.\.(yjs|bin)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  return paths.sort().map((path) => ({
    name: nameOf(path.replace(/\.(yjs|bin)$/, '').replaceAll(sep, '/')),
    origin: path,
    read: async () => ({ updates: [await readFile(join(folder, path))] }),
  }))
}
