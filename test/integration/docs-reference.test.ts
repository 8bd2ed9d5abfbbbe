import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../support/imports.js'

/** The part of typedoc's JSON that is looked at. */
interface Reflection {
  readonly name: string
  readonly variant: string
  readonly kind: number
  readonly comment?: Comment
  readonly children?: readonly Reflection[]
  readonly signatures?: readonly Reflection[]
  readonly getSignature?: Reflection
  readonly type?: { readonly declaration?: Reflection }
  readonly flags?: { readonly isInherited?: boolean; readonly isExternal?: boolean }
}
interface Comment {
  readonly summary: readonly unknown[]
  readonly blockTags?: readonly { readonly tag: string }[]
}

const METHOD = 2048
const GENERATOR = join(ROOT, 'docs/generator')

const commentOf = ({ comment, signatures, getSignature, type }: Reflection): Comment | undefined =>
  comment ?? signatures?.[0]?.comment ?? getSignature?.comment ?? type?.declaration?.signatures?.[0]?.comment

const filesIn = async (folder: string): Promise<Record<string, string>> => {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const contents: Record<string, string> = {}
  for (const file of files) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    contents[path.slice(folder.length + 1)] = await readFile(path, 'utf8')
  }
  return contents
}

let written: Record<string, string> = {}
let entries: readonly Reflection[] = []
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'inkwire-docs-'))
  const [out, json] = [join(folder, 'api'), join(folder, 'api.json')]
  const typedoc = join(GENERATOR, 'node_modules/typedoc/bin/typedoc')
  const args = ['--options', join(GENERATOR, 'typedoc.json'), '--treatWarningsAsErrors']
  await promisify(execFile)(process.execPath, [typedoc, ...args, '--out', out, '--json', json], {
    cwd: GENERATOR,
  })
  written = await filesIn(out)
  entries = (JSON.parse(await readFile(json, 'utf8')) as Reflection).children ?? []
  await rm(folder, { recursive: true })
}, 180_000)

/** Every exported symbol with its entry's name; what is exported twice counts where it is documented. */
const symbols = () =>
  entries.flatMap((entry) =>
    (entry.children ?? [])
      .filter(({ variant }) => variant !== 'reference')
      .map((symbol) => ({ symbol, path: `${entry.name}.${symbol.name}` })),
  )

describe('the API reference', () => {
  it('covers every entry of the package', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { exports: object }
    const exported = Object.keys(manifest.exports)
      .filter((path) => path !== './package.json')
      .map((path) => path.replace('.', 'inkwire'))
    expect(entries.map(({ name }) => name).sort()).toEqual(exported.sort())
  })

  it('has words and an example for every exported symbol', () => {
    expect(symbols().length).toBeGreaterThan(60)
    const without = symbols().filter(({ symbol }) => {
      const comment = commentOf(symbol)
      return !comment?.blockTags?.some(({ tag }) => tag === '@example')
    })
    expect(without.map(({ path }) => path)).toEqual([])
  })

  it('has words for every method', () => {
    const methods = symbols().flatMap(({ symbol, path }) =>
      (symbol.children ?? [])
        .filter(({ kind, flags }) => kind === METHOD && !flags?.isInherited && !flags?.isExternal)
        .map((method) => ({ method, path: `${path}.${method.name}` })),
    )
    expect(methods.length).toBeGreaterThan(20)
    const without = methods.filter(({ method }) => !commentOf(method))
    // What other packages' objects have to look like is theirs to explain.
    expect(without.map(({ path }) => path).filter((path) => !/Like\./.test(path))).toEqual([])
  })

  it('is what the sources say: npm run docs brings it up to date', async () => {
    expect(written).toEqual(await filesIn(join(ROOT, 'docs/api')))
  })
})
