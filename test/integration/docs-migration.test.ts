import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { examplesOf } from '../support/examples.js'
import { ROOT } from '../support/imports.js'
import { startServer } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'

const run = promisify(execFile)
const PAGES = ['docs/migrate-from-y-websocket.md', 'docs/migrate-from-hocuspocus.md']

/** A folder inside the built package, where `inkwire/…` means this package. */
const workshop = async (): Promise<string> => {
  const folder = await mkdtemp(join(ROOT, 'dist/examples-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Node 20 has no WebSocket of its own, and an example's server would run for ever. */
const RUNNER = `
import { WebSocket } from 'ws'
globalThis.WebSocket ??= WebSocket
await import(process.argv[2])
process.exit(0)
`

const pages = await Promise.all(
  PAGES.map(async (path) => ({ path, examples: examplesOf(await readFile(join(ROOT, path), 'utf8')) })),
)

describe('the examples of the migration pages', () => {
  it('are all found', () => {
    expect(pages.map(({ examples }) => examples.length)).toEqual([5, 5])
  })

  it('have no type errors', async () => {
    const folder = await workshop()
    for (const [page, { examples }] of pages.entries()) {
      for (const { code, line } of examples) await writeFile(join(folder, `${page}-${line}.ts`), code)
    }
    const config = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: { noEmit: true, types: ['node'] },
      include: ['*.ts'],
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const { stdout } = await run(process.execPath, [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]).catch((error: { stdout: string }) => error)
    expect(stdout).toBe('')
  })

  for (const { path, examples } of pages) {
    it.each(examples)(`${path}:$line runs against a real server`, async ({ code }) => {
      const { ws } = await startServer()
      const folder = await workshop()
      const here = code.replaceAll('ws://localhost:1234', ws).replace(/\b1234\b/g, '0')
      expect(here).not.toBe(code)
      const { code: script } = await transform(here, { loader: 'ts', target: 'node20' })
      await writeFile(join(folder, 'example.mjs'), script)
      await writeFile(join(folder, 'runner.mjs'), RUNNER)
      const { stderr } = await run(
        process.execPath,
        [join(folder, 'runner.mjs'), join(folder, 'example.mjs')],
        { cwd: await tempDir(), env: { ...process.env, INKWIRE_LOG_LEVEL: 'silent' } },
      )
      expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{"level":"info"'))).toEqual(
        [],
      )
    })
  }
})
