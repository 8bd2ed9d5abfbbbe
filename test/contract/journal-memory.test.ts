import { type MemoryState, openMemoryJournal } from '../../server/journal/memory.js'
import { describeJournal } from './journal.js'

describeJournal('memory', async () => {
  let state: MemoryState = new Map()
  return {
    open: async () => openMemoryJournal({ state }),
    // Whatever the forgotten journal does later, it does to what nobody reads any more.
    crash: async () => {
      const durable: MemoryState = new Map()
      for (const [name, stored] of state) durable.set(name, { ...stored, tail: [...stored.tail] })
      state = durable
    },
    dispose: async () => {},
  }
})
