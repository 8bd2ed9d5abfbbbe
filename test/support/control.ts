import { onTestFinished } from 'vitest'
import * as Y from 'yjs'
import type { ControlAppDeps } from '../../server/control/app.js'
import { connectControl } from '../../server/control/client.js'
import { createControl } from '../../server/control/control.js'
import type { Journal } from '../../server/journal/journal.js'
import { openMemoryJournal } from '../../server/journal/memory.js'
import { type LogFields, silentLog } from '../../server/observe/log.js'
import { localDocuments } from '../../server/tools/local.js'
import { stateOf } from '../../server/tools/state.js'
import { InkwireError } from '../../shared/errors.js'
import { tempDir } from './temp.js'

/** Users who can be revoked; `revoked` is who is. */
export const usersOf = (revoked: Map<string, number>): ControlAppDeps['users'] => ({
  revoke: async (user) => {
    revoked.set(user, revoked.size)
    return { closed: user.length }
  },
  unrevoke: async (user) => revoked.delete(user),
  revoked: async () => [...revoked].map(([user, since]) => ({ user, since })),
})

/** What a server has for the channel, on a memory journal. */
export const depsOn = (journal: Journal): ControlAppDeps => {
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

/** A control channel that listens in a folder of its own, on a memory journal; closed after the test. */
export const startControl = async (deps: Partial<ControlAppDeps> = {}, data?: string) => {
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

/** An update that brings a text. */
export const update = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** Names of what is listed. */
export const names = async (list: AsyncIterable<{ name: string }>): Promise<string[]> => {
  const found: string[] = []
  for await (const { name } of list) found.push(name)
  return found
}
