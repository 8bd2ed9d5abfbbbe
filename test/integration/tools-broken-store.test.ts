import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { built, runInkwire, serveProcess } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'

const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

it('a server whose store can’t be opened says why and what to do; after the repair it serves what was there', async () => {
  const data = await tempDir()
  const server = built.createServer({ port: 0, data })
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'still there')
  await server.documents.merge('a', Y.encodeStateAsUpdate(doc))
  await server.close()
  await rm(join(data, 'journal', 'CURRENT'))

  const why = `the store in ${join(data, 'journal')} can't be opened: CURRENT: No such file; run \`inkwire repair\``
  expect(await run('serve', '--port', '0', '--log-level', 'silent', '--data', data)).toEqual({
    code: 1,
    out: '',
    err: `inkwire: ${why} (INKWIRE_STORE_FAILED)\n`,
  })
  const embedded = built.createServer({ port: 0, data })
  await expect(embedded.listen()).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED', message: why })
  await embedded.close()

  expect(await run('repair', '--data', data)).toMatchObject({ code: 0, err: '' })
  await serveProcess(data)
  expect((await run('export', 'a', '--format', 'text', '--data', data)).out).toBe('still there')
})
