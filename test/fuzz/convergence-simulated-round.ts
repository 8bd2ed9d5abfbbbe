import { createHash } from 'node:crypto'
import { expect, onTestFinished, vi } from 'vitest'
import { canonical, expectSame } from '../support/documents.js'
import { lastNumber, numberedEdit } from '../support/numbered-edits.js'
import { below, pick, randomEdit, seeded } from '../support/random-edits.js'
import { RawReplica } from '../support/raw-replica.js'
import { type Replica, type ReplicaKind, World } from '../support/simulated-world.js'
import { VirtualTime } from '../support/virtual-time.js'

/** Who takes part. */
export const KINDS: readonly ReplicaKind[] = ['stock', 'ours', 'raw']
/** Several of ours on one connection among them. */
export const SHARED_KINDS: readonly ReplicaKind[] = ['stock', 'shared', 'shared', 'raw']
/** Who takes part where the server dies all the time. */
export const RESTLESS_KINDS: readonly ReplicaKind[] = ['stock', 'ours', 'shared', 'raw']
const STEPS = 600
const RESTLESS_STEPS = 1200
const CHECK_EVERY = 20
/** More than one compaction while people are in it takes, and in the second case more than a joiner gets in one piece. */
const LARGE = [300_000, 1_200_000]
/** What part of the connections is slow in a restless round: others come back before them. */
const SLOW_LINKS = 0.3
/** Each round trip is a rush or two; a compaction takes some. */
const MOST_RUSHES = 500

export interface RoundOptions {
  readonly kinds?: readonly ReplicaKind[]
  /** What the server may hold of what it could read again, bytes; default: everything. */
  readonly memoryBudget?: number
  /** Many write at the same place, and the server dies again and again. */
  readonly restless?: boolean
}

/**
 * The server's rooms, sessions and journal and several clients of all kinds, in one thread without sockets and disk.
 * One stream of random numbers decides everything that happens, so a seed repeats a run exactly.
 *
 * @returns what the run came to, as a hash: the same for the same seed; and how often a snapshot was read again.
 */
export const simulatedRound = async (
  seed: number,
  { kinds = KINDS, memoryBudget = Number.POSITIVE_INFINITY, restless = false }: RoundOptions = {},
): Promise<{ readonly hash: string; readonly rereads: number }> => {
  const random = seeded(seed)
  const time = new VirtualTime(random)
  const world = new World(random, time, { memoryBudget, slowLinks: restless ? SLOW_LINKS : 0 })
  onTestFinished(() => world.destroy())
  // Clients report what they can't make sense of; here there is nothing of that kind.
  const complaints = vi.spyOn(console, 'error').mockImplementation((...what) => {
    world.faults.push(what.map(String).join(' '))
  })
  onTestFinished(() => complaints.mockRestore())

  world.start()
  const people = 2 + below(random, 4)
  for (let i = 0; i < people; i++) world.open(pick(random, kinds))
  const large = random() < 0.2
  for (let i = 0; i < (restless ? RESTLESS_STEPS : STEPS); i++) {
    if (restless) await happenRestlessly(world, time, random)
    else await happen(world, time, random, large)
    await time.settle()
    if (i % CHECK_EVERY === 0) {
      world.checkSaved()
      await world.checkPromises()
    }
    if (world.faults.length > 0) break
  }
  expect(world.faults).toEqual([])

  await converge(world, 'the replicas')
  const [first] = world.replicas
  if (!first) throw new Error('nobody is here')
  for (const [i, { doc, kind }] of world.replicas.entries())
    expectSame(doc, first.doc, `replica ${i}, ${kind}`)
  await greetNewcomers(world, kinds, first, 'while all are there')

  for (const { provider } of world.replicas) provider.disconnect()
  for (let i = 0; i < MOST_RUSHES && world.rooms > 0; i++) await world.rush()
  expect(world.rooms, 'rooms in memory after everybody has left').toBe(0)
  expectSame(world.stored(), first.doc, 'the disk')
  await greetNewcomers(world, kinds, first, 'after everybody had left')

  await world.stop()
  world.start()
  await greetNewcomers(world, kinds, first, 'after a restart')
  const hash = createHash('sha256').update(canonical(first.doc)).update(String(time.now())).digest('hex')
  await world.stop()
  return { hash, rereads: world.rereads }
}

const happen = async (
  world: World,
  time: VirtualTime,
  random: () => number,
  large: boolean,
): Promise<void> => {
  const chance = random()
  if (chance < 0.3) world.deliverSomeToServer()
  else if (chance < 0.6) world.deliverSomeToClient()
  else if (chance < 0.8) editSomehow(pick(random, world.replicas), random)
  else if (chance < 0.87) await time.advance(below(random, 30))
  else if (chance < 0.95) world.completeSomething()
  else if (chance < 0.96) world.breakSomeLink()
  else if (chance < 0.97) pick(random, world.replicas).provider.disconnect()
  else if (chance < 0.982) pick(random, world.replicas).provider.connect()
  else if (chance < 0.984 && large) editLarge(pick(random, world.replicas), random)
  else if (chance < 0.987) await world.kill()
  else if (chance < 0.988) await world.stop()
  else world.start()
}

/** Short lives of the server: what it passed on it often loses, and all bring it back at once. */
const happenRestlessly = async (world: World, time: VirtualTime, random: () => number): Promise<void> => {
  const chance = random()
  if (chance < 0.3) world.deliverSomeToServer()
  else if (chance < 0.6) world.deliverSomeToClient()
  else if (chance < 0.72) editWhereAllDo(pick(random, world.replicas), random)
  else if (chance < 0.86) await time.advance(below(random, 30))
  else if (chance < 0.93) world.completeSomething()
  else if (chance < 0.934) world.breakSomeLink()
  else if (chance < 0.938) pick(random, world.replicas).provider.disconnect()
  else if (chance < 0.95) pick(random, world.replicas).provider.connect()
  else if (chance < 0.957) await world.kill()
  else world.start()
}

/** Each edit builds upon the last one, mostly somebody else's; many of them delete what their author made before. */
const editWhereAllDo = ({ doc }: Replica, random: () => number): void => {
  const chance = random()
  const array = doc.getArray('array')
  if (chance < 0.5) numberedEdit(doc, doc.clientID, lastNumber(doc, doc.clientID) + 1)
  else if (chance < 0.6) array.push([below(random, 100)])
  else if (chance < 0.7) doc.getText('text').insert(0, pick(random, ['a', 'be', 'ink']))
  else if (chance < 0.8) doc.getMap('map').set('a', below(random, 100))
  else if (chance < 0.85 && array.length > 0) array.delete(array.length - 1)
  else doc.transact(() => randomEdit(random, doc))
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

/** The network is fast, the server stays: in the end all hold the same. */
const converge = async (world: World, who: string): Promise<void> => {
  world.start()
  for (const { provider } of world.replicas) provider.connect()
  for (let i = 0; i < MOST_RUSHES && !world.converged; i++) {
    for (const { provider } of world.replicas) if (provider instanceof RawReplica) provider.flush()
    await world.rush()
  }
  expect(world.faults).toEqual([])
  if (world.converged) return
  const [first] = world.replicas
  for (const [i, { doc, kind, provider }] of world.replicas.entries()) {
    expect(provider.synced, `${who}: ${i}, ${kind}, is synced`).toBe(true)
    if (first) expectSame(doc, first.doc, `${who}: ${i}, ${kind}`)
  }
  throw new Error(`${who} did not converge`)
}

const greetNewcomers = async (
  world: World,
  kinds: readonly ReplicaKind[],
  first: Replica,
  when: string,
): Promise<void> => {
  for (const kind of kinds) {
    const { doc } = world.open(kind)
    await converge(world, `newcomer ${when}`)
    expectSame(doc, first.doc, `${kind} newcomer ${when}`)
  }
}
