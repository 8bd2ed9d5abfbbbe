import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** One import in one of our files. */
export interface Import {
  /** The file, from the project's folder, with forward slashes: `server/room/room.ts`. */
  readonly from: string
  readonly line: number
  /** A file of ours in the same form, or a package's name (`node:fs`, `yjs`). */
  readonly to: string
  /** Whether `to` is a file of ours. */
  readonly inside: boolean
  /** Gone after compiling. */
  readonly typeOnly: boolean
}

/** What a source file asks for, before it is resolved. */
export interface Request {
  readonly specifier: string
  readonly line: number
  readonly typeOnly: boolean
}

const CLAUSE = String.raw`(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+\w+))?)`
/** Statements start a line: the formatter sees to that. In a comment, something stands before them. */
const STATIC = new RegExp(String.raw`^(?:import|export)\s+(type\s+)?(${CLAUSE})\s*from\s*'([^']+)'`, 'gm')
const EFFECT = /^import\s+'([^']+)'/gm
/** `import('…')` as an expression or a type, and files that are named for a thread or a process. */
const INLINE =
  /^(?!\s*(?:\*|\/\/|\/\*)).*?(?:\bimport\(\s*'([^']+)'|new URL\('([^']+\.js)', import\.meta\.url\))/gm

/** All that a file imports, in any way that the language has. */
export const requestsOf = (source: string): Request[] => {
  const requests: Request[] = []
  const lineOf = (index: number): number => source.slice(0, index).split('\n').length
  for (const { index, 1: type, 2: clause = '', 3: specifier = '' } of source.matchAll(STATIC)) {
    requests.push({ specifier, line: lineOf(index), typeOnly: type !== undefined || onlyTypes(clause) })
  }
  for (const { index, 1: specifier = '' } of source.matchAll(EFFECT)) {
    requests.push({ specifier, line: lineOf(index), typeOnly: false })
  }
  for (const { index, 1: imported, 2: named } of source.matchAll(INLINE)) {
    requests.push({ specifier: imported ?? named ?? '', line: lineOf(index), typeOnly: false })
  }
  return requests
}

/** `{ type A, type B }`. */
const onlyTypes = (clause: string): boolean => {
  if (!clause.startsWith('{')) return false
  const names = clause.slice(1, -1).split(',')
  return names.every((name) => name.trim() === '' || name.trim().startsWith('type '))
}

/** Every TypeScript file below these folders of the project. */
export const sourcesBelow = (...folders: string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => `${folder}/${name.split(sep).join('/')}`),
  )

/** All imports of these files. One of a file that isn't there names the path that was looked for. */
export const importsOf = (files: readonly string[]): Import[] =>
  files.flatMap((from) =>
    requestsOf(readFileSync(join(ROOT, from), 'utf8')).map(({ specifier, line, typeOnly }) => {
      const inside = specifier.startsWith('.')
      return { from, line, to: inside ? resolve(from, specifier) : specifier, inside, typeOnly }
    }),
  )

const resolve = (from: string, specifier: string): string => {
  const path = normalize(join(dirname(from), specifier))
    .split(sep)
    .join('/')
  // Sources name the compiled file.
  const found = [path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')].find(
    (each) => each !== path && existsSync(join(ROOT, each)),
  )
  return found ?? path
}

/**
 * Groups of files that import each other in a circle, each as one path that leads back to its start.
 *
 * @example
 *   circlesIn([{ from: 'a', to: 'b' }, { from: 'b', to: 'a' }]) // [['a', 'b', 'a']]
 */
export const circlesIn = (edges: Iterable<Pick<Import, 'from' | 'to'>>): string[][] => {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  const circles: string[][] = []
  const finished = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const start = path.indexOf(file)
    if (start >= 0) circles.push([...path.slice(start), file])
    if (start >= 0 || finished.has(file)) return
    path.push(file)
    for (const each of [...(next.get(file) ?? [])].sort()) visit(each)
    path.pop()
    finished.add(file)
  }
  for (const file of [...next.keys()].sort()) visit(file)
  return circles
}
