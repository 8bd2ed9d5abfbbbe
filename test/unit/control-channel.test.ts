import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { createControlApp } from '../../server/control/app.js'
import { openMemoryJournal } from '../../server/journal/memory.js'
import { stateOf } from '../../server/tools/state.js'
import { InkwireError } from '../../shared/errors.js'
import { depsOn, names, startControl, update, usersOf } from '../support/control.js'
import { ODD_NAMES } from '../support/odd-names.js'
import { until } from '../support/until.js'

const textOf = (state: Uint8Array): string => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  return doc.getText('t').toString()
}

describe('a tool reaches the documents of a running server', () => {
  it('whatever they are called', async () => {
    const { journal, connect } = await startControl()
    const client = await connect()
    const all = [...ODD_NAMES, '.', '..', 'a/../b', '\u2028 line', 'a+b c', '?name=x&y#z', '%', '\\..\\']
    for (const name of all) expect(await client.merge(name, update(name))).toBe(true)
    expect(await names(client.list())).toEqual(await names(journal.list()))
    expect((await names(client.list())).sort()).toEqual([...all].sort())
    for (const name of all) {
      const stored = await client.read(name)
      expect(stored).toEqual(await journal.read(name))
      expect(stored && textOf(stateOf(stored))).toBe(name)
      expect(await client.stats(name)).toEqual(await journal.stats(name))
    }
    for (const name of all) expect(await client.delete(name)).toBe(true)
    expect(await names(client.list())).toEqual([])
  })

  it('with authors, times and snapshot', async () => {
    const { journal, connect } = await startControl()
    await journal.replace('doc', {
      snapshot: { seq: 7, update: update('old') },
      tail: [
        { update: update('a'), time: 1_700_000_000_000, author: 'ada' },
        { update: update('b'), time: 1_700_000_000_001, author: 'grace 🙂' },
      ],
    })
    expect(await (await connect()).read('doc')).toEqual(await journal.read('doc'))
  })

  it('and hears when there is none', async () => {
    const { connect } = await startControl()
    const client = await connect()
    expect(await client.read('nobody')).toBeNull()
    expect(await client.stats('nobody')).toBeNull()
    expect(await client.delete('nobody')).toBe(false)
    expect(await names(client.list())).toEqual([])
  })

  it('without getting again what it has', async () => {
    const { connect } = await startControl()
    const client = await connect()
    await client.merge('doc', update('one'))
    const before = await client.read('doc')
    if (!before) throw new Error('not there')
    expect(await client.readUnless(before, 'doc')).toBe('unchanged')
    await client.merge('doc', update('two'))
    expect(await client.readUnless(before, 'doc')).toMatchObject({ seq: before.seq + 1 })
    const replaced = await client.replace('doc', update('three'))
    expect(replaced.generation).not.toBe(before.generation)
    expect(await client.readUnless({ ...replaced, seq: before.seq }, 'doc')).toBe('unchanged')
    await client.delete('doc')
    expect(await client.readUnless(before, 'doc')).toBeNull()
  })

  it('in lists and documents of any length', async () => {
    const { journal, connect } = await startControl()
    for (let i = 0; i < 2500; i++) {
      await journal.replace(`document ${i}`, { snapshot: { seq: 1, update: update('x') }, tail: [] })
    }
    const client = await connect()
    expect(await names(client.list())).toHaveLength(2500)
    const large = update('large '.repeat(1_000_000))
    expect(await client.merge('large', large)).toBe(true)
    const stored = await client.read('large')
    // Not toEqual: it takes a minute for this.
    expect(stored && Buffer.compare(stateOf(stored), large)).toBe(0)
  })

  it('and what is wrong with them', async () => {
    const findings = [
      { document: 'a\u2028', generation: '0'.repeat(32), problem: 'update 2 is missing' },
      { document: null, generation: null, problem: 'an unknown key: ff' },
    ]
    const { connect } = await startControl({
      async *verify() {
        yield* findings
      },
    })
    const heard: unknown[] = []
    for await (const finding of (await connect()).verify()) heard.push(finding)
    expect(heard).toEqual(findings)
  })

  it('and how many are lost', async () => {
    expect(await (await (await startControl()).connect()).lost()).toBe(0)
    const { connect } = await startControl({ lost: async () => 7 })
    expect(await (await connect()).lost()).toBe(7)
    const { connect: toFailing } = await startControl({
      lost: async () => {
        throw new InkwireError('INKWIRE_STORE_FAILED', 'the disk is gone')
      },
    })
    await expect((await toFailing()).lost()).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
  })

  it('and puts one back to before a moment', async () => {
    const { journal, connect } = await startControl()
    const spoiled = update('b')
    await journal.replace('a/ä', {
      snapshot: null,
      tail: [
        { update: update('a'), time: 1_700_000_000_000, author: 'ada' },
        { update: spoiled, time: 1_700_000_000_005, author: 'eve' },
      ],
    })
    const client = await connect()
    const before = new Date(1_700_000_000_001)
    const would = await client.rollback('a/ä', before, { dryRun: true })
    const part = { updates: 1, bytes: spoiled.length, first: 1_700_000_000_005, last: 1_700_000_000_005 }
    expect(would.lost).toEqual({ ...part, authors: [{ author: 'eve', ...part }] })
    expect((await client.read('a/ä'))?.generation).toBe(would.generation)
    const did = await client.rollback('a/ä', before)
    expect(did.lost).toEqual(would.lost)
    expect(await client.read('a/ä')).toMatchObject({ generation: did.generation, seq: 1 })
    expect(await client.rollback('a/ä', before)).toEqual({ ...did, lost: null })
    await expect(client.rollback('nobody', before)).rejects.toMatchObject({ code: 'INKWIRE_NO_DOCUMENT' })
  })

  it('and revokes users, whatever they are called', async () => {
    const { connect } = await startControl({ users: usersOf(new Map()) })
    const client = await connect()
    const users = ['eve', '__proto__', 'a&b=c#d%', 'ä \u2028', '../..', '+']
    for (const user of users) expect(await client.revoke(user)).toBe(user.length)
    const all: unknown[] = []
    for await (const each of client.revoked()) all.push(each)
    expect(all).toEqual(users.map((user, since) => ({ user, since })))
    expect(await client.unrevoke('+')).toBe(true)
    expect(await client.unrevoke('+')).toBe(false)
  })

  it('also by curl: the state as an update', async () => {
    const { folder, connect } = await startControl()
    await (await connect()).merge('a/b', update('plain'))
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const path = '/document?name=a%2Fb'
      request({ socketPath: join(folder, 'control.sock'), path }, async (answer) => {
        const chunks: Buffer[] = []
        for await (const chunk of answer) chunks.push(chunk as Buffer)
        resolve(Buffer.concat(chunks))
      })
        .on('error', reject)
        .end()
    })
    expect(textOf(bytes)).toBe('plain')
  })
})

describe('what goes wrong is told in the words and codes of the server', () => {
  it('of a request', async () => {
    const { connect } = await startControl()
    const client = await connect()
    await expect(client.merge('doc', Uint8Array.of(9, 9))).rejects.toMatchObject({
      code: 'INKWIRE_BAD_UPDATE',
    })
    await expect(client.merge('', update('x'))).rejects.toMatchObject({ code: 'INKWIRE_BAD_NAME' })
    await expect(client.read('x'.repeat(1025))).rejects.toMatchObject({
      code: 'INKWIRE_BAD_NAME',
      message: 'the document name has 1025 bytes, 1024 are allowed',
    })
  })

  it('in the middle of a list', async () => {
    const { connect } = await startControl({
      documents: {
        ...depsOn(openMemoryJournal()).documents,
        async *list() {
          yield { name: 'first', generation: '0'.repeat(32) }
          throw new InkwireError('INKWIRE_STORE_FAILED', 'the disk is gone')
        },
      },
    })
    const seen: string[] = []
    const listing = (async () => {
      for await (const { name } of (await connect()).list()) seen.push(name)
    })()
    await expect(listing).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED', message: 'the disk is gone' })
    expect(seen).toEqual(['first'])
  })

  it('of requests that nobody knows', async () => {
    const app = createControlApp(depsOn(openMemoryJournal()))
    expect((await app.request('/nonsense')).status).toBe(400)
    for (const [path, method] of [
      ['/document', 'GET'],
      ['/document/rollback?name=a', 'GET'],
      ['/document/rollback?name=a&before=yesterday', 'POST'],
      ['/revocation', 'POST'],
    ] as const) {
      expect(await (await app.request(path, { method })).json()).toMatchObject({
        error: { code: 'INKWIRE_BAD_OPTION' },
      })
    }
  })

  it('when the server goes away', async () => {
    const { connect, control } = await startControl()
    const client = await connect()
    await control.close()
    await expect(client.read('doc')).rejects.toMatchObject({ code: 'INKWIRE_STORE_CLOSED' })
  })
})

describe('what a caller has asked for who hangs up', () => {
  it.each([
    ['DELETE', '/document?name=doc'],
    ['PUT', '/document?name=doc'],
    ['POST', '/document/rollback?name=doc&before=2026-11-21T10:30:00Z'],
  ] as const)('%s %s: hears of it', async (method, path) => {
    const signals: AbortSignal[] = []
    const never = ({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<never> => {
      if (signal) signals.push(signal)
      return new Promise(() => undefined)
    }
    const { folder } = await startControl({
      documents: {
        ...depsOn(openMemoryJournal()).documents,
        delete: (_, options) => never(options),
        replace: (_, __, options) => never(options),
        rollback: (_, __, options) => never(options),
      },
    })
    const asking = request({ socketPath: join(folder, 'control.sock'), path, method })
    asking.on('error', () => undefined)
    asking.end(method === 'PUT' ? update('x') : undefined)
    await until('it is asked for', () => signals.length === 1)
    expect(signals[0]?.aborted).toBe(false)
    asking.destroy()
    await until('it hears of it', () => signals[0]?.aborted)
  })
})
