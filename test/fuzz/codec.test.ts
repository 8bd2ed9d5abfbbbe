import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { Presence } from '../../server/room/presence.js'
import { BadUpdateError } from '../../server/update/bad-update.js'
import { scanUpdate } from '../../server/update/scan.js'
import { decodeStateVector } from '../../server/update/state-vector.js'
import { decodeMessage, decodeTrunkMessage, encodeMessage, encodeTrunkMessage } from '../../shared/codec.js'
import { InkwireError } from '../../shared/errors.js'
import type { Message, TrunkMessage } from '../../shared/messages.js'
import { forgePresence } from '../support/forge.js'
import { anyBytes, CASES, damaged, FUZZ_TIMEOUT_MS, fuzz } from '../support/fuzz.js'
import { below, pick, randomSession } from '../support/random-edits.js'

const anyMessage = (random: () => number): Message => {
  const bytes = anyBytes(random)
  const number = below(random, 2 ** 20)
  const generation = random() < 0.5 ? '00'.repeat(16) : 'f0'.repeat(16)
  const text = pick(random, ['', 'why', 'é\u{1f600}'])
  return pick<Message>(random, [
    { type: 'syncStep1', stateVector: bytes },
    { type: 'syncStep2', update: bytes },
    { type: 'update', update: bytes },
    { type: 'awareness', update: bytes },
    { type: 'permissionDenied', reason: text },
    { type: 'queryAwareness' },
    { type: 'hello', generation, seq: number, access: 'read', durability: 'os', maxMessageBytes: number },
    { type: 'ack', received: number, durable: number },
    { type: 'rejection', message: number, code: 4403, reason: text },
    { type: 'join', generation: random() < 0.5 ? '' : generation, seq: number },
    { type: 'authenticate' },
    { type: 'token', token: text },
  ])
}

/** What `read` gives, or null for a refusal with this code; anything else that is thrown is a mistake. */
const orRefused = <T>(code: string, read: () => T): T | null => {
  try {
    return read()
  } catch (error) {
    if (error instanceof InkwireError && error.code === code) return null
    throw error
  }
}

describe('bytes from anybody', () => {
  it(
    'messages: any message comes back as it was, anything else is refused or is a message',
    () =>
      fuzz(CASES, (random) => {
        const message = anyMessage(random)
        const bytes = encodeMessage(message)
        // Structured comparison of millions of cases would take hours; bytes say the same.
        if (!Buffer.from(encodeMessage(decodeMessage(bytes))).equals(bytes)) throw new Error('not the same')
        const other = random() < 0.3 ? anyBytes(random) : damaged(random, bytes)
        const read = orRefused('INKWIRE_BAD_MESSAGE', () => decodeMessage(other))
        if (read) encodeMessage(read)
      }),
    FUZZ_TIMEOUT_MS,
  )

  it(
    'X11–X15: what is said on a shared connection comes back as it was, anything else is refused, passed by or is of it',
    () =>
      fuzz(CASES, (random) => {
        const channel = below(random, 2 ** 20)
        const reason = pick(random, ['', 'why', 'é\u{1f600}'])
        const message = pick<TrunkMessage>(random, [
          { type: 'shared', channels: channel },
          { type: 'open', channel, extended: random() < 0.5, target: reason },
          { type: 'channel', channel },
          { type: 'end', channel, code: below(random, 5000), reason },
        ])
        const bytes = encodeTrunkMessage(message)
        const back = decodeTrunkMessage(bytes)
        if (!back || !Buffer.from(encodeTrunkMessage(back)).equals(bytes)) throw new Error('not the same')
        const other = random() < 0.3 ? anyBytes(random) : damaged(random, bytes)
        const read = orRefused('INKWIRE_BAD_MESSAGE', () => decodeTrunkMessage(other))
        if (read) encodeTrunkMessage(read)
      }),
    FUZZ_TIMEOUT_MS,
  )

  const { updates, docs } = randomSession(7, { edits: 60 })
  const sources = [...updates, ...docs.map((doc) => Y.encodeStateAsUpdate(doc))].filter(
    (each) => each.length < 400,
  )

  it(
    'updates: what is accepted, Yjs can read; all else is refused with a reason',
    async () => {
      let accepted = 0
      await fuzz(CASES, (random) => {
        const bytes = random() < 0.3 ? anyBytes(random) : damaged(random, pick(random, sources))
        try {
          scanUpdate(bytes)
        } catch (error) {
          if (error instanceof BadUpdateError) return
          throw error
        }
        accepted++
        Y.decodeUpdate(bytes)
      })
      expect(accepted).toBeGreaterThan(CASES / 100)
    },
    FUZZ_TIMEOUT_MS,
  )

  it(
    'state vectors and presence: taken or refused, never anything else; presence stays bounded',
    () => {
      const presence = new Presence<number>()
      return fuzz(CASES, (random) => {
        orRefused('INKWIRE_BAD_MESSAGE', () => decodeStateVector(anyBytes(random)))
        const member = below(random, 50)
        const state = forgePresence({
          id: below(random, 300),
          clock: below(random, 100),
          json: pick(random, ['{}', 'null', '"x"', '[']),
        })
        const bytes = random() < 0.5 ? state : damaged(random, state)
        orRefused('INKWIRE_BAD_MESSAGE', () => presence.receive(member, bytes))
        if (random() < 0.1) presence.leave(member)
        if (random() < 0.1) presence.takeChanges()
        if (presence.size > 50 * 64) throw new Error('too many')
      })
    },
    FUZZ_TIMEOUT_MS,
  )
})
