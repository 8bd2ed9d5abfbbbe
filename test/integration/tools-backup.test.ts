import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { InkwireProvider } from '../../client/index.js'
import type { InkwireServer } from '../../server/index.js'
import { built, runInkwire, serveProcess, startServer } from '../support/inkwire.js'
import { flipBit } from '../support/journal-damage.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const run = async (...args: string[]): Promise<{ code: unknown; out: string; err: string }> => {
  const process = runInkwire(args)
  const code = await process.exited
  return { code, out: process.stdout(), err: process.stderr() }
}

const DOCUMENTS = ['notes/one', 'two', 'drei ü', 'four']

/** Somebody who writes 0, 1, 2, … into a document, some hundred a second. */
const author = (ws: string, name: string, who: string) => {
  const doc = new Y.Doc()
  const provider = new InkwireProvider(ws, name, doc, { WebSocketPolyfill: WebSocket })
  onTestFinished(() => {
    provider.destroy()
    doc.destroy()
  })
  const numbers = doc.getArray<number>(who)
  let writing = true
  const stopped = provider.whenSynced.then(async () => {
    while (writing) {
      numbers.push([numbers.length])
      await pause(2)
    }
  })
  return {
    who,
    name,
    provider,
    /** How many there are. */
    written: () => numbers.length,
    stop: async () => {
      writing = false
      await stopped
    },
  }
}

/** An author's numbers in a state file. */
const numbersIn = (state: Uint8Array | undefined, who: string): number[] => {
  const doc = new Y.Doc()
  if (state) Y.applyUpdate(doc, state)
  return doc.getArray<number>(who).toArray()
}

/** The state of every document of a folder that no server runs on. */
const statesIn = async (data: string): Promise<Map<string, Uint8Array>> => {
  const server = built.createServer({ port: 0, data })
  const states = new Map<string, Uint8Array>()
  try {
    for await (const { name } of server.documents.list()) states.set(name, await server.documents.read(name))
  } finally {
    await server.close()
  }
  return states
}

const textOf = (state: Uint8Array | undefined): string => {
  const doc = new Y.Doc()
  if (state) Y.applyUpdate(doc, state)
  return doc.getText('text').toString()
}

const state = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** Writes a text into each of the documents. */
const fill = async (server: InkwireServer): Promise<void> => {
  for (const name of DOCUMENTS) await server.documents.merge(name, state(`text of ${name}`))
}

/** A folder with the documents, no server, and a place for a backup. */
const stopped = async (): Promise<{ folder: string; data: string; target: string }> => {
  const folder = await tempDir()
  const data = join(folder, 'data')
  const server = built.createServer({ port: 0, data })
  await fill(server)
  await server.close()
  return { folder, data, target: join(folder, 'backup') }
}

const allTexts = Object.fromEntries(DOCUMENTS.map((name) => [name, `text of ${name}`]))

const textsIn = async (data: string): Promise<Record<string, string>> =>
  Object.fromEntries([...(await statesIn(data))].map(([name, each]) => [name, textOf(each)]))

describe('inkwire backup of a running server', () => {
  it('holds each document as it was between start and end, with all that was acknowledged before', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    const server = await serveProcess(data)
    const authors = DOCUMENTS.flatMap((name) => ['ada', 'grace'].map((who) => author(server.ws, name, who)))
    await until('all write', () => authors.every(({ written }) => written() > 20))
    for (let round = 1; round <= 2; round++) {
      const acknowledged = authors.map(({ written }) => written())
      await Promise.all(authors.map(({ provider }) => provider.whenSaved()))
      const target = join(folder, 'backup')
      const { code, out } = await run('backup', target, '--data', data)
      const after = authors.map(({ written }) => written())
      expect({ code, out: out.slice(0, 22) }).toEqual({ code: 0, out: '4 documents backed up:' })

      const restored = join(folder, `restored ${round}`)
      expect(await run('restore', target, '--data', restored)).toMatchObject({ code: 0, err: '' })
      const states = await statesIn(restored)
      for (const name of DOCUMENTS) {
        for (const [i, one] of authors.entries()) {
          if (one.name !== name) continue
          const numbers = numbersIn(states.get(name), one.who)
          // Nothing from the middle is missing.
          expect(numbers).toEqual(numbers.map((_, n) => n))
          expect(numbers.length).toBeGreaterThanOrEqual(acknowledged[i] ?? 0)
          expect(numbers.length).toBeLessThanOrEqual(after[i] ?? 0)
        }
      }
    }
    await Promise.all(authors.map(({ stop }) => stop()))
  })

  it('writes only what changed the next time', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    const target = join(folder, 'backup')
    const { server } = await startServer({ data })
    await fill(server)
    const files = async (): Promise<string[]> => (await readdir(join(target, 'documents'))).sort()
    expect((await run('backup', target, '--data', data)).out).toMatch(/^4 documents backed up: 4 written/)
    const first = await files()
    expect((await run('backup', target, '--data', data)).out).toMatch(
      /^4 documents backed up: 0 written \(0 B\), 4 unch/,
    )
    expect(await files()).toEqual(first)

    await server.documents.merge('two', state('more'))
    await server.documents.delete('four')
    expect((await run('backup', target, '--data', data)).out).toMatch(
      /^3 documents backed up: 1 written \(\d+ B\), 2 unchanged, 1 removed\n$/,
    )
    const second = await files()
    expect(second).toHaveLength(3)
    expect(second.filter((file) => !first.includes(file))).toEqual([expect.stringMatching(/^two\./)])
  })
})

describe('inkwire restore', () => {
  it('into an empty folder gives what was there, with the server stopped all along', async () => {
    const { folder, data, target } = await stopped()
    expect(await run('backup', target, '--data', data)).toMatchObject({ code: 0, err: '' })
    const other = join(folder, 'other')
    expect(await run('restore', target, '--data', other)).toMatchObject({ code: 0, err: '' })
    expect(await textsIn(other)).toEqual(allTexts)
  })

  it('into a running server stops clients with 4409, whose edits since do not come back', async () => {
    const folder = await tempDir()
    const data = join(folder, 'data')
    const target = join(folder, 'backup')
    const { server, ws } = await startServer({ data })
    await fill(server)
    await run('backup', target, '--data', data)
    const before = await server.documents.stats('two')
    const untouched = await server.documents.stats('four')

    const doc = new Y.Doc()
    const provider = new InkwireProvider(ws, 'two', doc, { WebSocketPolyfill: WebSocket })
    onTestFinished(() => {
      provider.destroy()
      doc.destroy()
    })
    await provider.whenSynced
    doc.getText('text').insert(0, 'later: ')
    await provider.whenSaved()
    const closed = new Promise<number>((resolve) => {
      provider.on('connection-close', (event) => resolve(event?.code ?? 0))
    })

    expect(await run('restore', target, '--data', data)).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^inkwire: there are documents already: .*--force \(INKWIRE_NOT_EMPTY\)\n$/),
    })
    expect(await run('restore', target, 'two', '--data', data)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^1 document restored/),
    })
    expect(await closed).toBe(4409)
    expect(textOf(await server.documents.read('two'))).toBe('text of two')
    expect((await server.documents.stats('two'))?.generation).not.toBe(before?.generation)
    expect(await server.documents.stats('four')).toEqual(untouched)

    expect(await run('restore', target, '--force', '--data', data)).toMatchObject({ code: 0 })
    await server.close()
    expect(await textsIn(data)).toEqual(allTexts)
  })

  it('writes nothing from a damaged backup, and names what is damaged', async () => {
    const { folder, data, target } = await stopped()
    await run('backup', target, '--data', data)
    const file = (await readdir(join(target, 'documents'))).find((each) => each.startsWith('two.')) ?? ''
    const path = join(target, 'documents', file)
    await writeFile(path, flipBit(await readFile(path), 99))
    const other = join(folder, 'other')
    expect(await run('restore', target, '--data', other)).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^inkwire: the backup's files of "two" are damaged or missing.*INKWIRE_BAD_BACKUP\)\n$/,
      ),
    })
    expect(await textsIn(other)).toEqual({})
    expect(await run('restore', target, 'four', '--data', other)).toMatchObject({ code: 0 })
    expect(await textsIn(other)).toEqual({ four: 'text of four' })
    // The next backup of what is still sound puts it right.
    await rm(path)
    expect((await run('backup', target, '--data', data)).out).toMatch(/^4 documents backed up: 1 written/)
    expect(await run('restore', target, '--force', '--data', other)).toMatchObject({ code: 0 })
    expect(await textsIn(other)).toEqual(allTexts)
  })

  it('of what is no backup is one line', async () => {
    const { folder, data } = await stopped()
    expect(await run('restore', join(folder, 'nothing'), '--data', data, '--force')).toEqual({
      code: 1,
      out: '',
      err: `inkwire: there is no backup in ${join(folder, 'nothing')} (INKWIRE_BAD_BACKUP)\n`,
    })
    expect(await run('backup', folder, '--data', data)).toMatchObject({
      code: 2,
      err: expect.stringContaining('"data" is in it. Choose an empty or a new one (INKWIRE_BAD_OPTION)'),
    })
  })
})
