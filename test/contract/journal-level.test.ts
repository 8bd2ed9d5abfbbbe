import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelJournal } from '../../server/journal/level.js'
import { describeJournal } from './journal.js'

describeJournal('LevelDB', async () => {
  const root = await mkdtemp(join(tmpdir(), 'inkwire-journal-'))
  let directory = join(root, '0')
  let copies = 0
  return {
    open: () => openLevelJournal({ directory, ballastBytes: 0 }),
    // The files as they lie there now are what a killed process leaves.
    crash: async (journal) => {
      const copy = join(root, String(++copies))
      await cp(directory, copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
      await journal.close()
      directory = copy
    },
    dispose: () => rm(root, { recursive: true }),
  }
})
