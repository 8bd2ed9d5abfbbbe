import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { type ControlAppDeps, createControlApp } from '../../server/control/app.js'
import { connectControl } from '../../server/control/client.js'
import { type ControlDeps, createControl } from '../../server/control/control.js'
import { openDataFolder } from '../../server/data-folder.js'
import type { Journal } from '../../server/journal/journal.js'
import { openMemoryJournal } from '../../server/journal/memory.js'
import { type LogFields, silentLog } from '../../server/observe/log.js'
import { localDocuments } from '../../server/tools/local.js'
import { stateOf } from '../../server/tools/state.js'
import { InkwireError } from '../../shared/errors.js'
import { ODD_NAMES } from '../support/odd-names.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const update = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const textOf = (state: Uint8Array): string => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  return doc.getText('t').toString()
}

const usersOf = (revoked: Map<string, number>): ControlAppDeps['users'] => ({
  revoke: async (user) => {
    revoked.set(user, revoked.size)
    return { closed: user.length }
  },
  unrevoke: async (user) => revoked.delete(user),
  revoked: async () => [...revoked].map(([user, since]) => ({ user, since })),
})

/** What a server has for the channel, on a memory journal. */
const depsOn = (journal: Journal): ControlDeps => {
  const local = localDocuments(journal)
  return {
    documents: {
      list: async function* () {
        yield* journal.list()
      },
      stats: local.stats,
      read: async (name) => {
        const document = await journal.read(name)
        if (!document) throw new InkwireError('INKWIRE_NO_DOCUMENT', `there is no document "${name}"`)
        return stateOf(document)
      },
      merge: local.merge,
      replace: local.replace,
      delete: local.delete,
      rollback: local.rollback,
    },
    users: usersOf(new Map()),
    stored: (name) => journal.read(name),
    async *verify() {},
    lost: local.lost,
    log: silentLog,
  }
}

const start = async (deps: Partial<ControlDeps> = {}, data?: string) => {
  const folder = data ?? (await tempDir())
  const journal = openMemoryJournal()
  const warnings: string[] = []
  const log = { ...silentLog, warn: (_: LogFields, message: string) => void warnings.push(message) }
  const control = createControl({ ...depsOn(journal), log, ...deps })
  await control.listen(folder)
  onTestFinished(async () => {
    await control.close()
    await journal.close()
  })
  const connect = async () => {
    const client = await connectControl(folder)
    if (!client) throw new Error('nobody answers')
    onTestFinished(() => client.close())
    return client
  }
  return { folder, journal, control, connect, warnings }
}

const names = async (list: AsyncIterable<{ name: string }>): Promise<string[]> => {
  const found: string[] = []
  for await (const { name } of list) found.push(name)
  return found
}

describe('a tool reaches the documents of a running server', () => {
  it('whatever they are called', async () => {
    const { journal, connect } = await start()
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
    const { journal, connect } = await start()
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
    const { connect } = await start()
    const client = await connect()
    expect(await client.read('nobody')).toBeNull()
    expect(await client.stats('nobody')).toBeNull()
    expect(await client.delete('nobody')).toBe(false)
    expect(await names(client.list())).toEqual([])
  })

  it('without getting again what it has', async () => {
    const { connect } = await start()
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
    const { journal, connect } = await start()
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
    const { connect } = await start({
      async *verify() {
        yield* findings
      },
    })
    const heard: unknown[] = []
    for await (const finding of (await connect()).verify()) heard.push(finding)
    expect(heard).toEqual(findings)
  })

  it('and how many are lost', async () => {
    expect(await (await (await start()).connect()).lost()).toBe(0)
    const { connect } = await start({ lost: async () => 7 })
    expect(await (await connect()).lost()).toBe(7)
    const { connect: toFailing } = await start({
      lost: async () => {
        throw new InkwireError('INKWIRE_STORE_FAILED', 'the disk is gone')
      },
    })
    await expect((await toFailing()).lost()).rejects.toMatchObject({ code: 'INKWIRE_STORE_FAILED' })
  })

  it('and puts one back to before a moment', async () => {
    const { journal, connect } = await start()
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
    const { connect } = await start({ users: usersOf(new Map()) })
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
    const { folder, connect } = await start()
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
    const { connect } = await start()
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
    const { connect } = await start({
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
    const { connect, control } = await start()
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
    const { folder } = await start({
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

describe('the socket', () => {
  it('can be opened by its own user only, and is gone afterwards', async () => {
    const { folder, control } = await start()
    expect((await stat(join(folder, 'control.sock'))).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['control.sock'])
    await control.close()
    expect(await readdir(folder)).toEqual([])
    expect(await connectControl(folder)).toBeNull()
  })

  it('takes the place of what a killed server left', async () => {
    const folder = await tempDir()
    await writeFile(join(folder, 'control.sock'), 'stale')
    await mkdir(join(folder, 'control.new'))
    await writeFile(join(folder, 'control.new', 's'), 'stale')
    expect(await connectControl(folder)).toBeNull()
    const { connect } = await start({}, folder)
    expect(await names((await connect()).list())).toEqual([])
    expect(await readdir(folder)).toEqual(['control.sock'])
  })

  it('lies in the temporary folder when its path would be too long', async () => {
    const root = await tempDir()
    const folder = join(root, 'a-rather-long-name-of-a-folder'.repeat(4))
    await mkdir(folder)
    const { connect, control } = await start({}, folder)
    const path = await readFile(join(folder, 'control.path'), 'utf8')
    expect(path.startsWith(tmpdir())).toBe(true)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
    expect(await (await connect()).merge('doc', update('x'))).toBe(true)
    await control.close()
    expect(await readdir(folder)).toEqual([])
    await expect(stat(dirname(path))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is left out with a warning where there can be none', async () => {
    const { warnings, control } = await start({}, join(await tempDir(), 'not', 'there'))
    expect(warnings).toEqual(['there is no control socket: tools work while the server is stopped'])
    await control.close()
  })

  it('is no reason to remove files that are not its own', async () => {
    const folder = await tempDir()
    const precious = join(folder, 'precious')
    await mkdir(precious)
    await writeFile(join(precious, 'control.sock'), 'not a socket')
    await writeFile(join(folder, 'control.path'), join(precious, 'control.sock'))
    const { control } = await start({}, folder)
    await control.close()
    expect(await readdir(precious)).toEqual(['control.sock'])
  })

  it('of something else is not taken for a server', async () => {
    const folder = await tempDir()
    const other = createServer((_, response) => response.end('{"server":"other"}'))
    await new Promise<void>((resolve) => other.listen(join(folder, 'control.sock'), resolve))
    onTestFinished(() => void other.close())
    expect(await connectControl(folder)).toBeNull()
  })

  it('that somebody listens at who says nothing is taken for a server that is stuck', async () => {
    const folder = await tempDir()
    const stuck = createServer(() => undefined)
    await new Promise<void>((resolve) => stuck.listen(join(folder, 'control.sock'), resolve))
    onTestFinished(() => {
      stuck.closeAllConnections()
      stuck.close()
    })
    await expect(connectControl(folder, 100)).rejects.toMatchObject({
      code: 'INKWIRE_STORE_LOCKED',
      message: expect.stringMatching(
        /is in use by another server: something listens at .*control\.sock and does/,
      ),
    })
  })

  it('keeps everybody else from opening the folder as long as somebody answers there', async () => {
    const { folder, control } = await start()
    // No lock is held: the server's journal is in memory.
    await expect(openDataFolder({ directory: folder })).rejects.toMatchObject({
      code: 'INKWIRE_STORE_LOCKED',
      message: expect.stringMatching(
        /^the data folder .* is in use by another server: it answers at .*\/control\.sock$/,
      ),
    })
    expect(await readdir(folder)).toEqual(['control.sock'])
    await control.close()
    const journal = await openDataFolder({ directory: folder })
    await journal.close()
  })

  it('closes only after what is under way, within a bounded time', async () => {
    let release: () => void = () => undefined
    let asked = false
    const { connect, control } = await start({
      stored: (name) => {
        asked = true
        if (name === 'never') return new Promise(() => undefined)
        return new Promise((resolve) => {
          release = () => resolve(null)
        })
      },
    })
    const client = await connect()
    const reading = client.read('slow')
    await until('asked', () => asked)
    const closed = control.close()
    release()
    expect(await reading).toBeNull()
    await closed
  })

  it('gives up on what never ends', async () => {
    let asked = false
    const { connect, control } = await start({
      stored: () => {
        asked = true
        return new Promise(() => undefined)
      },
    })
    const reading = (await connect()).read('never')
    reading.catch(() => undefined)
    await until('asked', () => asked)
    await control.close()
    await expect(reading).rejects.toMatchObject({ code: 'INKWIRE_STORE_CLOSED' })
  })
})
