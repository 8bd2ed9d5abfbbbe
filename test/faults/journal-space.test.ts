/** Disk use of a document that is written to and compacted all the time. */
import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLevelJournal } from '../../server/journal/level.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const bytesIn = async (directory: string): Promise<number> => {
  const sizes = (await readdir(directory)).map((file) =>
    stat(join(directory, file)).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

test('stays within 3 times the compacted size, however much was written', async () => {
  const SIZE = 1_000_000
  const directory = await tempDir()
  const journal = await openLevelJournal({ directory, ballastBytes: 0 })
  let durable = 0
  let last = 0
  const log = await journal.open('hot', (seq) => {
    durable = seq
  })
  const atRest: number[] = []
  for (let round = 0; round < 15; round++) {
    for (let written = 0; written < SIZE; written += 10_000) {
      last = log.append({ update: randomBytes(10_000), time: Date.now(), author: '' })
    }
    await until('it is durable', () => durable >= last)
    await log.compact({ seq: last, update: randomBytes(SIZE) })
    await journal.settled()
    atRest.push((await bytesIn(join(directory, 'journal'))) / SIZE)
  }
  // The first rounds grow to it.
  expect(Math.max(...atRest.slice(2))).toBeLessThan(3)
  log.release()
  await journal.close()
})
