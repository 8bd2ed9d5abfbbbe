import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { tempDir } from '../support/temp.js'

const DIST = new URL('../../dist/server/', import.meta.url).href

/** Says what is loaded by `require`, in any thread. */
const HOOK = `
const { Module } = require('node:module')
const { writeSync } = require('node:fs')
const load = Module._extensions['.js']
Module._extensions['.js'] = (module, file) => {
  writeSync(1, 'required ' + file + '\\n')
  load(module, file)
}`

/** A thread that is killed when it has done a job, and others at any time while they load. */
const RUN = `
import { createWorkerPool } from '${DIST}worker/pool.js'
const job = { snapshot: null, updates: [Uint8Array.of(0, 0)] }
for (let ms = 0; ms < 100; ms += 5) {
  const pool = createWorkerPool()
  const done = pool.compact(job).catch(() => undefined)
  await (ms === 0 ? done : new Promise((resolve) => setTimeout(resolve, ms)))
  await pool.destroy()
  await done
}
console.log('alive')`

it('a thread that is killed while it loads takes nobody along: none of our modules is loaded by require', async () => {
  const hook = join(await tempDir(), 'hook.cjs')
  await writeFile(hook, HOOK)
  const args = ['--require', hook, '--input-type=module', '--eval', RUN]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const lines = stdout.trim().split('\n')
  expect(lines.at(-1)).toBe('alive')
  const dist = fileURLToPath(DIST)
  const ours = lines.filter((line) => line.startsWith(`required ${dist}`))
  expect([...new Set(ours)]).toEqual([`required ${join(dist, 'worker', 'entry.cjs')}`])
}, 30_000)
