import { type MemoryState, openMemoryJournal } from '../../server/journal/memory.js'
import { describeJournal } from './journal.js'

describeJournal('memory', async () => {
  const state: MemoryState = new Map()
  return {
    open: async () => openMemoryJournal({ state }),
    // Whatever the forgotten journal does later, it does to what nobody reads any more.
    crash: async () => {
      const durable = [...state].map(
        ([name, stored]) => [name, { ...stored, tail: [...stored.tail] }] as const,
      )
      state.clear()
      for (const [name, stored] of durable) state.set(name, stored)
    },
    dispose: async () => {},
  }
})
