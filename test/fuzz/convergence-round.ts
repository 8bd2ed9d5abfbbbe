import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { type Kind, openClient } from '../support/clients.js'
import { alike, canonical, expectSame } from '../support/documents.js'
import { metric, serveProcess } from '../support/inkwire.js'
import { startNetwork } from '../support/network.js'
import { below, contents, pick, randomEdit, seeded } from '../support/random-edits.js'
import { RawReplica } from '../support/raw-replica.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/** What all kinds of clients can be told. */
interface Replica {
  readonly kind: Kind | 'raw'
  readonly doc: Y.Doc
  readonly undo: Y.UndoManager
  readonly synced: boolean
  connect(): void
  disconnect(): void
  /** Sends what it sat on. */
  flush?(): void
}

const KINDS = ['stock', 'ours', 'shared', 'raw'] as const
const ACTIONS = 120
const LONGEST_DELAY_MS = 12
/** Beyond what makes a room compact while people are in it, and beyond what a joiner gets in one piece. */
const LARGE = [300_000, 1_200_000]

/**
 * Several clients of all kinds edit one document over a bad network and a server that dies and comes back. In the
 * end all hold the same, byte for byte, and so do newcomers, before and after a last restart.
 */
export const convergenceRound = async (seed: number): Promise<void> => {
  // What is done is drawn apart from what happens to come in between: timing must not change the script.
  const random = seeded(seed)
  const noise = seeded(~seed)
  const name = 'fuzz/dökument'
  const data = await tempDir()
  let calm = false
  const network = await startNetwork({ delayMs: () => (calm ? 0 : below(noise, LONGEST_DELAY_MS)) })
  let server = await serve(data)
  network.setTarget(server.port)

  const restart = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    server.child.kill(signal)
    const ended = await server.exited
    expect(ended, server.stderr()).toBe(signal === 'SIGTERM' ? 0 : signal)
    network.setTarget(null)
    server = await serve(data)
    network.setTarget(server.port)
  }

  const url = `${network.ws}/${encodeURIComponent(name)}`
  const replicas = Array.from({ length: 3 + below(random, 3) }, () =>
    openReplica(pick(random, KINDS), { ws: network.ws, url, name, random, noise }),
  )
  for (let i = 0; i < ACTIONS; i++) {
    const replica = pick(random, replicas)
    const chance = random()
    // How much an edit draws depends on what its author has got by now.
    const own = seeded(below(random, 2 ** 32))
    if (chance < 0.7) editSomehow(replica, own)
    else if (chance < 0.8) await delay(below(own, 2 * LONGEST_DELAY_MS))
    else if (chance < 0.87) network.cutOne(own)
    else if (chance < 0.91) replica.disconnect()
    else if (chance < 0.97) replica.connect()
    else if (chance < 0.98) editLarge(replica, own)
    else if (chance < 0.99) await restart('SIGKILL')
    else await restart('SIGTERM')
  }

  calm = true
  for (const replica of replicas) replica.connect()
  const docs = replicas.map((replica) => replica.doc)
  const [first = new Y.Doc()] = docs
  await until(
    'all replicas are alike',
    () => {
      for (const replica of replicas) replica.flush?.()
      return replicas.every(({ synced }) => synced) && docs.every((doc) => alike(doc, first))
    },
    30_000,
  ).catch((error: Error) => fail(docs, replicas, error))
  const bytes = canonical(first)
  for (const [i, doc] of docs.entries()) expectSame(doc, first, `replica ${i}, ${replicas[i]?.kind}`)

  const newcomers = async (when: string): Promise<void> => {
    for (const kind of ['stock', 'ours', 'shared'] as const) {
      const newcomer = openClient(kind, server.ws, name)
      await newcomer.whenSynced()
      await until(`a newcomer has all ${when}`, () => alike(newcomer.doc, first))
      expectSame(newcomer.doc, first, `a newcomer ${when}`)
      newcomer.destroy()
    }
  }
  await newcomers('while all are there')
  for (const replica of replicas) replica.disconnect()
  await until('the document has left memory', async () => (await metric(server, 'inkwire_rooms')) === 0)
  await newcomers('after everybody has left')
  await restart('SIGTERM')
  await newcomers('after the last restart')
  expect(canonical(first).equals(bytes)).toBe(true)
}

const serve = (data: string) => serveProcess(data, { args: ['--no-demo', '--log-level', 'error'] })

interface Surroundings {
  readonly ws: string
  readonly url: string
  readonly name: string
  readonly random: () => number
  readonly noise: () => number
}

const openReplica = (kind: Replica['kind'], { ws, url, name, random, noise }: Surroundings): Replica => {
  const doc = new Y.Doc({ gc: random() < 0.7 })
  doc.clientID = below(random, 2 ** 32)
  const undo = new Y.UndoManager([doc.getText('text'), doc.getMap('map')], { captureTimeout: 0 })
  if (kind !== 'raw') return Object.assign(openClient(kind, ws, name, { doc, maxBackoffMs: 50 }), { undo })
  const replica = new RawReplica({ url, doc, random: noise, extended: random() < 0.5, WebSocket })
  onTestFinished(() => replica.destroy())
  replica.connect()
  return Object.assign(replica, { kind, undo })
}

const editSomehow = ({ doc, undo }: Replica, random: () => number): void => {
  const chance = random()
  if (chance < 0.08) undo.undo()
  else if (chance < 0.12) undo.redo()
  else doc.transact(() => randomEdit(random, doc))
}

const editLarge = ({ doc }: Replica, random: () => number): void => {
  const text = doc.getText('text')
  text.insert(0, 'large '.repeat(pick(random, LARGE) / 6))
  if (random() < 0.5) text.delete(3, pick(random, LARGE) / 2)
}

const fail = (docs: readonly Y.Doc[], replicas: readonly Replica[], error: Error): never => {
  const states = replicas.map(({ kind, synced }, i) => {
    const waiting = docs[i]?.store.pendingStructs ? ', waits for a gap' : ''
    return `${i} ${kind}${synced ? '' : ', not synced'}${waiting}`
  })
  for (const [i, doc] of docs.entries())
    expect(contents(doc), `replica ${i} of ${states.join('; ')}`).toEqual(contents(docs[0] as Y.Doc))
  throw new Error(`${states.join('; ')}`, { cause: error })
}
