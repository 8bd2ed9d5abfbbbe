import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ServerOptions } from '../config.js'
import type { InkwireServer } from '../inkwire-server.js'
import { Extra } from './extra.js'
import { passBy } from './passer-by.js'
import { removeLeftovers, Stage } from './stage.js'

/** With one server V8 would make code for that one, and have to make it anew for the real one. */
const SERVERS = 2
/** Documents, how many are in each, and how many of these type. */
const DOCUMENTS = 8
const IN_EACH = 5
const AUTHORS_IN_EACH = 2
/** Everybody who types has typed so many letters when the next one comes in, and leaves. */
const ROUNDS_A_GUEST = 8

/**
 * What each of them types at a time: most of what there is to compile is about a letter, and to send one takes time,
 * too.
 */
const LETTERS = 3

/** What a warm-up needs. */
export interface WarmUpDeps {
  /** Makes the servers that are played with. */
  readonly createServer: (options: ServerOptions) => InkwireServer
  /** Milliseconds, monotonic. */
  readonly clock: () => number
  /** How long it takes, ms. */
  readonly ms: number
  /** Ends it early. */
  readonly signal: AbortSignal
}

/**
 * Has servers of its own, run by the same code as the real one, do what servers do: let clients in, take what they
 * type, write it down, pass it on.
 *
 * A program that has just started runs code that V8 has yet to compile, many times slower than it will be: just when
 * all clients come back at once after a restart.
 *
 * @throws whatever keeps it from that; the real server is none the worse for it.
 */
export const warmUp = async ({ createServer, clock, ms, signal }: WarmUpDeps): Promise<void> => {
  const end = clock() + ms
  const going = (): boolean => clock() < end && !signal.aborted
  const stages: Stage[] = []
  const extras: Extra[] = []
  try {
    await removeLeftovers()
    while (going() && stages.length < SERVERS) stages.push(await Stage.set(createServer))
    let entered = 0
    const enter = async (stage: Stage): Promise<Extra> => {
      const number = entered++
      const extended = Math.floor(number / DOCUMENTS) % 2 === 1
      return Extra.enter(stage.port, stage.target(`document-${number % DOCUMENTS}`), number + 1, extended)
    }
    while (going() && entered < DOCUMENTS * IN_EACH) {
      for (const stage of stages) extras.push(await enter(stage))
    }
    for (let round = 0; going(); round++) {
      for (const author of extras.slice(0, DOCUMENTS * AUTHORS_IN_EACH)) author.type(LETTERS)
      for (const mover of extras.slice(-DOCUMENTS)) mover.move()
      const stage = stages[round % (SERVERS * ROUNDS_A_GUEST)]
      if (stage) {
        // Somebody new in a document is another matter for a server than who has been there.
        const guest = await enter(stage)
        guest.type()
        guest.move()
        await passBy(stage.port)
        guest.leave()
      }
      // What was said is read, passed on, and the disk's answer comes in.
      for (let turns = 0; turns < 3; turns++) await nextTurn()
    }
  } finally {
    for (const extra of extras) extra.leave()
    await Promise.all(stages.map((stage) => stage.clear()))
  }
}
