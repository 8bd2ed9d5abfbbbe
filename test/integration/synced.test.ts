import { expect, it, onTestFinished } from 'vitest'
import { type Author, missingEdits, startAuthor } from '../faults/kill-authors.js'
import { openClient } from '../support/clients.js'
import { metric, startServer } from '../support/inkwire.js'
import { below, pick, seeded } from '../support/random-edits.js'
import { until } from '../support/until.js'

const SEED = Number(process.env.INKWIRE_SEED ?? 1)
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

const DOCUMENTS = 12
const VISITS = 10

it('synced is never true for a client that lacks what was durable before it connected', async () => {
  const random = seeded(SEED)
  // Gone as soon as they are left, so that joins race with loads, commits, compactions and goodbyes.
  const { server, url, ws } = await startServer({ roomLingerMs: 0 })
  let unloaded = 0
  server.on('unload', () => void unloaded++)
  let joins = 0
  const problems: string[] = []

  /** Connects and looks at the document in the very moment when it is called synced. */
  const join = (name: string, authors: readonly Author[]): Promise<void> => {
    const durable = authors.map((author) => author.acknowledged)
    const kind = pick(random, ['stock', 'ours'] as const)
    const client = openClient(kind, ws, name, { connect: false })
    return new Promise<void>((resolve) => {
      const look = (synced: boolean): void => {
        if (!synced) return
        joins++
        for (const [i, author] of authors.entries()) {
          const missing = missingEdits(client.doc, author, durable[i] ?? 0)
          if (missing.length > 0)
            problems.push(`${kind}, ${name}: ${missing.length} of ${durable[i]} of ${author.id}`)
        }
        resolve()
      }
      client.onSync(look)
      client.connect()
    }).then(client.destroy)
  }

  for (let d = 0; d < DOCUMENTS; d++) {
    const name = `doc-${d}`
    const authors: Author[] = []
    for (let v = 0; v < VISITS; v++) {
      const author = startAuthor(pick(random, ['raw', 'ours', 'stock']), ws, name, `visitor-${v}`)
      onTestFinished(() => author.stop())
      authors.push(author)
      author.write()
      await until('the first edit is safe', () => author.acknowledged === 1)
      for (let i = below(random, 70); i > 0; i--) author.write()
      const enough = below(random, author.made + 1)
      await until(`${enough} edits are safe`, () => author.acknowledged >= enough)
      for (let i = below(random, 10); i > 0; i--) author.write()
      // Some go at once, with edits under way. In every other document all do, so that it is left by everybody again
      // and again, and its next visitors find it anywhere between that and having left memory.
      if (d % 2 === 0 || random() < 0.6) author.stop()
      for (let turns = below(random, 60); turns > 0; turns--) await nextTurn()
      await Promise.all(Array.from({ length: 1 + below(random, 3) }, () => join(name, authors)))
    }
    for (const author of authors) author.stop()
  }
  expect(problems).toEqual([])
  expect(joins).toBeGreaterThan(DOCUMENTS * VISITS)
  // Both have really been in the way.
  expect(await metric({ url }, 'inkwire_compactions_total')).toBeGreaterThan(0)
  expect(unloaded).toBeGreaterThan(DOCUMENTS)
  await until('the last document has left memory', async () => (await metric({ url }, 'inkwire_rooms')) === 0)
}, 60_000)
