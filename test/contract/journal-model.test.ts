/**
 * Random histories against a model that is a page long: whatever is appended, compacted, deleted, replaced, closed
 * and crashed, in any order, a journal holds what the model holds. fast-check shrinks a failure to a short history.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DocumentLog, Journal } from '../../server/journal/journal.js'
import { type LevelJournal, openLevelJournal } from '../../server/journal/level.js'
import { type MemoryState, openMemoryJournal } from '../../server/journal/memory.js'
import { nextTurn } from '../support/journal-start.js'

const SEED = Number(process.env.INKWIRE_SEED ?? Date.now() % 1_000_000)

/** A document as it should be: what was durable for certain, and what may be after a crash. */
interface Model {
  generation: string
  /** The snapshot's seq and its byte; 0 for none. */
  snapshot: { seq: number; byte: number }
  /** First bytes of the updates after it. */
  tail: number[]
}

type Step =
  | { readonly do: 'append'; readonly document: number; readonly count: number }
  | { readonly do: 'compact'; readonly document: number; readonly back: number }
  | { readonly do: 'delete' | 'replace' | 'release'; readonly document: number }
  | { readonly do: 'reopen' | 'crash' | 'verify' }

const document = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      document,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('compact' as const), document, back: fc.nat({ max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('delete' as const, 'replace' as const, 'release' as const),
      document,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'crash' as const, 'verify' as const) }),
  },
)

/** A store of either kind that can be crashed. */
interface World {
  open(): Promise<Journal>
  crash(): Promise<void>
  dispose(): Promise<void>
}

const memoryWorld = async (): Promise<World> => {
  let state: MemoryState = new Map()
  return {
    open: async () => openMemoryJournal({ state }),
    crash: async () => {
      const durable: MemoryState = new Map()
      for (const [name, stored] of state) durable.set(name, { ...stored, tail: [...stored.tail] })
      state = durable
    },
    dispose: async () => {},
  }
}

const levelWorld = async (): Promise<World> => {
  const root = await mkdtemp(join(tmpdir(), 'inkwire-model-'))
  let directory = join(root, '0')
  let lives = 0
  let journal: LevelJournal
  return {
    open: async () => {
      journal = await openLevelJournal({ directory, ballastBytes: 0 })
      return journal
    },
    crash: async () => {
      const copy = join(root, String(++lives))
      // While LevelDB moves its files about, a copy isn't what a killed process leaves.
      await journal.settled()
      await cp(directory, copy, { recursive: true })
      await journal.close()
      directory = copy
    },
    dispose: () => rm(root, { recursive: true }),
  }
}

/** Plays a history on a journal and on the model, and compares them. */
const play = async (world: World, steps: readonly Step[]): Promise<void> => {
  let journal = await world.open()
  const models = new Map<string, Model>()
  const logs = new Map<string, DocumentLog>()
  const durable = new Map<string, number>()
  let byte = 0

  const nameOf = (index: number): string => ['a', 'b/ö', '__proto__'][index] ?? ''
  const open = async (name: string): Promise<DocumentLog> => {
    const existing = logs.get(name)
    if (existing) return existing
    const log = await journal.open(name, (seq) => durable.set(name, seq))
    durable.set(name, log.document.seq)
    logs.set(name, log)
    return log
  }
  const release = (name: string): void => {
    logs.get(name)?.release()
    logs.delete(name)
  }
  const compare = async (): Promise<void> => {
    const listed: string[] = []
    for await (const { name, generation } of journal.list()) {
      listed.push(name)
      expect(generation).toBe(models.get(name)?.generation)
    }
    expect(listed).toEqual([...models.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    for (const [name, model] of models) {
      const stored = await journal.read(name)
      expect(stored?.generation).toBe(model.generation)
      expect(stored?.snapshot?.seq ?? 0).toBe(model.snapshot.seq)
      expect(stored?.snapshot?.update[0] ?? 0).toBe(model.snapshot.byte)
      expect(stored?.tail.map(({ update }) => update[0])).toEqual(model.tail)
      expect(stored?.seq).toBe(model.snapshot.seq + model.tail.length)
    }
  }

  const run = async (each: Step): Promise<void> => {
    switch (each.do) {
      case 'append': {
        const name = nameOf(each.document)
        const log = await open(name)
        const empty = { generation: log.document.generation, snapshot: { seq: 0, byte: 0 }, tail: [] }
        const model = models.get(name) ?? empty
        models.set(name, model)
        let last = 0
        for (let i = 0; i < each.count; i++) {
          byte = (byte % 250) + 1
          model.tail.push(byte)
          last = log.append({ update: Uint8Array.of(byte), time: byte, author: 'ada' })
        }
        while ((durable.get(name) ?? 0) < last) await nextTurn()
        return
      }
      case 'compact': {
        const name = nameOf(each.document)
        const model = models.get(name)
        const covered = (model?.tail.length ?? 0) - each.back
        if (!model || covered < 1) return
        const log = await open(name)
        byte = (byte % 250) + 1
        const seq = model.snapshot.seq + covered
        await log.compact({ seq, update: Uint8Array.of(byte) })
        model.snapshot = { seq, byte }
        model.tail.splice(0, covered)
        return
      }
      case 'delete': {
        const name = nameOf(each.document)
        release(name)
        expect(await journal.delete(name)).toBe(models.delete(name))
        return
      }
      case 'replace': {
        const name = nameOf(each.document)
        release(name)
        byte = (byte % 250) + 1
        const { generation } = await journal.replace(name, {
          snapshot: { seq: 3, update: Uint8Array.of(byte) },
          tail: [{ update: Uint8Array.of(1), time: 1, author: '' }],
        })
        expect(generation).not.toBe(models.get(name)?.generation)
        models.set(name, { generation, snapshot: { seq: 3, byte }, tail: [1] })
        return
      }
      case 'release':
        return release(nameOf(each.document))
      case 'verify':
        return compare()
      case 'crash':
        await world.crash()
        logs.clear()
        journal = await world.open()
        return compare()
      case 'reopen':
        expect(await journal.close()).toEqual({ unsaved: [] })
        logs.clear()
        journal = await world.open()
        return compare()
    }
  }

  try {
    for (const each of steps) await run(each)
    await compare()
  } finally {
    await journal.close()
    await world.dispose()
  }
}

describe('random histories', () => {
  test.each([
    ['memory', memoryWorld, 150],
    ['LevelDB', levelWorld, 25],
  ] as const)(
    `on the %s journal (seed ${SEED})`,
    async (_, makeWorld, numRuns) => {
      const histories = fc.array(step, { minLength: 5, maxLength: 40 })
      const property = fc.asyncProperty(histories, async (steps) => play(await makeWorld(), steps))
      await fc.assert(property, { numRuns, seed: SEED })
    },
    60_000,
  )
})
