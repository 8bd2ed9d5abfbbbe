import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { examplesOf } from '../support/examples.js'
import { ROOT } from '../support/imports.js'

const run = promisify(execFile)

/** What is the reader's own: an editor, and the provider that it has. All else an example has to bring itself. */
const GIVEN = `
import type { Compartment, Extension } from '@codemirror/state'
import type { EditorView } from '@codemirror/view'
import type { BlockNoteEditor } from '@blocknote/core'
import type { Editor } from '@tiptap/core'
import type Quill from 'quill'
declare global {
  const provider: import('inkwire/client').InkwireProvider
  const editor: Editor & { updateOptions(options: { readonly readOnly: boolean }): void }
  const blockNote: BlockNoteEditor
  const quill: Quill
  const view: EditorView
  const access: Compartment
  const writing: Extension
  const reading: Extension
}
`

it('the examples of the README have no type errors', async () => {
  // Inside the built package, where `inkwire/…` means this package.
  const folder = await mkdtemp(join(ROOT, 'dist/examples-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const examples = examplesOf(await readFile(join(ROOT, 'README.md'), 'utf8'))
  expect(examples.length).toBeGreaterThanOrEqual(7)
  for (const { code, line } of examples)
    await writeFile(join(folder, `README-${line}.tsx`), `${code}\nexport {}\n`)
  await writeFile(join(folder, 'given.d.ts'), GIVEN)
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { noEmit: true, types: ['node'], noUnusedLocals: false },
    include: ['*.tsx', 'given.d.ts'],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { stdout } = await run(process.execPath, [
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    '-p',
    folder,
  ]).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
})
