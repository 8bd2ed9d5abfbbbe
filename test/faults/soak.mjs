#!/usr/bin/env node
/**
 * kill -9 under load, for hundreds of rounds; ends with a total line. Needs a built dist/ (`npm run build`).
 *
 *     node test/faults/soak.mjs [--rounds 300] [--seed 1]
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
for (const [name, value] of Object.entries(values)) {
  if (/^\d+$/.test(value)) continue
  console.error(`--${name} must be a whole number, not ${value}`)
  process.exit(2)
}
const { status } = spawnSync(
  process.execPath,
  [
    fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url)),
    'run',
    'test/faults/kill.test.ts',
    '--disable-console-intercept',
  ],
  {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: 'inherit',
    env: { ...process.env, INKWIRE_KILL_ROUNDS: values.rounds, INKWIRE_KILL_SEED: values.seed },
  },
)
process.exit(status ?? 1)
