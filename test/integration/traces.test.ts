import { expect, it } from 'vitest'
import { type Client, type Kind, openClient } from '../support/clients.js'
import { alike } from '../support/documents.js'
import { metric, serveProcess } from '../support/inkwire.js'
import { below, pick, seeded } from '../support/random-edits.js'
import { atRandomMoments, replayConcurrent, replaySequential } from '../support/replay.js'
import { tempDir } from '../support/temp.js'
import { loadConcurrentTrace, loadSequentialTrace, type SequentialTrace } from '../support/traces.js'
import { until } from '../support/until.js'

const SEED = Number(process.env.INKWIRE_SEED ?? 1)
const SLOW = 120_000

const paper = loadSequentialTrace('automerge-paper')
const component = loadSequentialTrace('sveltecomponent')
const friends = loadConcurrentTrace('friendsforever')
const EDITS = paper.txns.length + component.txns.length + friends.txns.length

const serve = (data: string, port = 0) =>
  serveProcess(data, { port, args: ['--no-demo', '--log-level', 'error'] })
type Running = Awaited<ReturnType<typeof serve>>

/** Both kinds of newcomers find exactly this text. */
const expectText = async ({ ws }: Running, name: string, text: string): Promise<void> => {
  for (const kind of ['stock', 'ours'] as const) {
    const newcomer = openClient(kind, ws, name)
    await newcomer.whenSynced()
    // Not toBe: nobody reads a difference of 100 KB.
    expect(newcomer.text.toString() === text, `${name} as ${kind} gets it: ${newcomer.text.length}`).toBe(
      true,
    )
    newcomer.destroy()
  }
}

const caughtUp = (reader: Client, author: Client): Promise<unknown> =>
  until(
    'the reader has all',
    () => author.doc.store.clients.size > 0 && alike(reader.doc, author.doc),
    60_000,
  )

/** All that the server has of a document is on disk: the ack of whoever comes last says so (PROTOCOL X4). */
const saved = async ({ ws }: Running, name: string): Promise<void> => {
  const witness = openClient('ours', ws, name)
  await witness.whenSynced()
  await witness.ours?.whenSaved({ timeout: 10_000 })
  witness.destroy()
}

it(
  'three traces at once, each edit an update of its own, readers cut off now and then, and a restart',
  async () => {
    const random = seeded(SEED)
    const data = await tempDir()
    const first = await serve(data)

    const alone = async (name: string, trace: SequentialTrace, kinds: [author: Kind, reader: Kind]) => {
      const author = openClient(kinds[0], first.ws, name)
      const reader = openClient(kinds[1], first.ws, name)
      await author.whenSynced()
      const onProgress = atRandomMoments(random, trace.txns.length, 5, () => reader.cut())
      await replaySequential(author, trace, { onProgress })
      await caughtUp(reader, author)
    }
    const together = async (name: string, kinds: [Kind, Kind]) => {
      const authors = kinds.map((kind) => openClient(kind, first.ws, name))
      for (const author of authors) await author.whenSynced()
      await replayConcurrent(authors, friends)
    }
    await Promise.all([
      alone('paper', paper, ['ours', 'stock']),
      alone('component', component, ['stock', 'ours']),
      together('friends', ['stock', 'ours']),
    ])
    // Beside the edits, each connection brings a sync step 2.
    const received = await metric(first, 'inkwire_updates_received_total')
    expect(received - EDITS).toBeGreaterThanOrEqual(0)
    expect(received - EDITS).toBeLessThan(100)

    first.child.kill('SIGTERM')
    expect(await first.exited, first.stderr()).toBe(0)
    const second = await serve(data)
    await expectText(second, 'paper', paper.endContent)
    await expectText(second, 'component', component.endContent)
    await expectText(second, 'friends', friends.endContent)
  },
  SLOW,
)

it(
  'three traces at once, the authors cut off at random moments, the server killed in the middle and at the end',
  async () => {
    const random = seeded(SEED + 1)
    const data = await tempDir()
    let server = await serve(data)
    const { ws, port } = server
    let made = 0
    let restarted: Promise<void> | null = null
    const restart = async (): Promise<void> => {
      server.child.kill('SIGKILL')
      await server.exited
      server = await serve(data, port)
    }
    const killAt = below(random, friends.txns.length)
    const killInTheMiddle = (): void => {
      if (++made > killAt) restarted ??= restart()
    }

    const alone = async (name: string, trace: SequentialTrace, author: Client, together: number) => {
      const onProgress = atRandomMoments(random, trace.txns.length, 8, () => author.cut())
      await replaySequential(author, trace, { onProgress, together })
      const reader = openClient('stock', ws, name)
      await caughtUp(reader, author)
    }
    const together = async (name: string, kind: Kind) => {
      const authors = [openClient(kind, ws, name), openClient(kind, ws, name)]
      const cut = atRandomMoments(random, friends.txns.length, 8, () => pick(random, authors).cut())
      await replayConcurrent(authors, friends, {
        onProgress: (count) => {
          killInTheMiddle()
          cut(count)
        },
      })
      const reader = openClient('ours', ws, name)
      for (const author of authors) await caughtUp(reader, author)
    }
    await Promise.all([
      alone('paper', paper, openClient('stock', ws, 'paper'), 16),
      alone('component', component, openClient('ours', ws, 'component'), 1),
      together('friends/stock', 'stock'),
      together('friends/ours', 'ours'),
    ])
    expect(restarted).not.toBeNull()
    const texts = {
      paper: paper.endContent,
      component: component.endContent,
      'friends/stock': friends.endContent,
      'friends/ours': friends.endContent,
    }
    for (const name of Object.keys(texts)) await saved(server, name)

    await restart()
    for (const [name, text] of Object.entries(texts)) await expectText(server, name, text)
  },
  SLOW,
)
