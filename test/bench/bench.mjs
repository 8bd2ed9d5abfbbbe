#!/usr/bin/env node
/**
 * Builds and runs the benchmark: `npm run bench`, see main.ts. The load runs pinned to one core, the servers to another.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const outfile = `${here}.build/main.mjs`
mkdirSync(`${here}.build`, { recursive: true })
await build({
  entryPoints: [`${here}main.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
})
const pinned = process.platform === 'linux' && availableParallelism() > 1
const command = [
  process.execPath,
  '--enable-source-maps',
  '--max-old-space-size=8192',
  outfile,
  ...process.argv.slice(2),
]
const [program, ...args] = pinned ? ['taskset', '-c', '1', ...command] : command
const { status, error } = spawnSync(program, args, {
  stdio: 'inherit',
  env: { ...process.env, INKWIRE_BENCH: here },
})
if (error) console.error(error.message)
process.exit(status ?? 1)
