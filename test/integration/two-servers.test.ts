import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { forge } from '../support/forge.js'
import { runInkwire, serveProcess } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/** As an operator does who takes them for leftovers. */
const removeLocks = async (data: string): Promise<void> => {
  for (const store of ['journal', 'witness']) await rm(join(data, store, 'LOCK'))
}

it('a second server keeps off a folder whose lock files were removed under the first, which loses nothing', async () => {
  const data = await tempDir()
  const first = await serveProcess(data)
  const author = await connectRaw(`${first.ws}/doc`, [SUBPROTOCOL])
  await author.first('syncStep1')
  await removeLocks(data)
  const second = runInkwire(['serve', '--port', '0', '--log-level', 'silent', '--data', data])
  expect(await second.exited).toBe(1)
  expect(second.stdout()).toBe('')
  expect(second.stderr()).toMatch(
    /^inkwire: the data folder .* is in use by another server: it answers at .*control\.sock \(INKWIRE_STORE_LOCKED\)\n$/,
  )
  const update = forge({ client: 1, structs: [{ text: 'written after that' }] })
  author.send({ type: 'update', update })
  await until('it is saved', () => author.all('ack').some(({ durable }) => durable > 0))
  first.child.kill('SIGKILL')
  await first.exited

  // What a killed server leaves of its socket keeps nobody out.
  const again = await serveProcess(data)
  const reader = await connectRaw(`${again.ws}/doc`)
  reader.send({ type: 'syncStep1', stateVector: Uint8Array.of(0) })
  const state = await reader.first('syncStep2')
  expect(Buffer.from(state.update).toString('latin1')).toContain('written after that')
})
