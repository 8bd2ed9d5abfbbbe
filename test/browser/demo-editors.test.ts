import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { startServer } from '../support/inkwire.js'

const SERVE = fileURLToPath(new URL('../../client/demo/editors/serve.mjs', import.meta.url))

it('the server of the editor pages ends with the reason when its store is in use', async () => {
  const { server, data } = await startServer()
  await server.documents.stats('any')
  const serving = spawn(process.execPath, [SERVE, data], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void serving.kill('SIGKILL'))
  const [[code], said, complained] = await Promise.all([
    once(serving, 'close'),
    text(serving.stdout),
    text(serving.stderr),
  ])
  expect([code, said]).toEqual([1, ''])
  expect(complained).toContain(
    `The documents can’t be opened: the data folder ${data} is in use by another server: it answers at `,
  )
})
