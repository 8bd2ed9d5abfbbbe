import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ledger } from '../../client/saves.js'

const UPDATE = Uint8Array.of(1, 2, 3)
const NOTHING = Uint8Array.of(0, 0)

/** A ledger on a connection whose sync step 2 was durable at once. */
const connected = (ledger = new Ledger()): Ledger => {
  ledger.begin('fsync')
  ledger.send(NOTHING, 0, true, true)
  ledger.ack(1, 1)
  return ledger
}
const edit = (ledger: Ledger, now = 0): void => {
  ledger.send(UPDATE, now, false, true)
}

describe('an edit', () => {
  it('is on the device, then received, then saved (X4)', () => {
    const ledger = connected()
    edit(ledger, 1_000)
    expect(ledger.state()).toMatchObject({ status: 'device', pending: 1, received: 0, oldestPending: 1_000 })
    ledger.ack(2, 1)
    expect(ledger.state()).toMatchObject({
      status: 'received',
      pending: 1,
      received: 1,
      oldestPending: 1_000,
    })
    ledger.ack(2, 2)
    expect(ledger.state()).toMatchObject({
      status: 'saved',
      pending: 0,
      received: 0,
      durable: 1,
      oldestPending: null,
    })
  })

  it('is back on the device when the connection ends before it was durable; a saved one stays saved', () => {
    const ledger = connected()
    edit(ledger, 1)
    edit(ledger, 2)
    ledger.ack(3, 2)
    ledger.end()
    expect(ledger.state()).toMatchObject({
      status: 'device',
      pending: 1,
      received: 0,
      durable: 1,
      oldestPending: 2,
    })
    ledger.begin('fsync')
    // The last connection's acks say nothing about this one's messages.
    ledger.ack(3, 3)
    expect(ledger.state().status).toBe('device')
    ledger.send(UPDATE, 3, true, true)
    expect(ledger.state().status).toBe('device')
    ledger.ack(1, 1)
    expect(ledger.state()).toMatchObject({ status: 'saved', durable: 2 })
  })

  it('made offline is covered by the next sync step 2 only', () => {
    const ledger = new Ledger()
    ledger.hold(5)
    ledger.begin('fsync')
    edit(ledger, 6)
    ledger.ack(1, 1)
    expect(ledger.state()).toMatchObject({ status: 'device', pending: 1, oldestPending: 5 })
    ledger.send(UPDATE, 7, true, true)
    ledger.ack(2, 2)
    expect(ledger.state().status).toBe('saved')
  })
})

describe('acks', () => {
  it('for messages that were not sent yet save nothing', () => {
    const ledger = connected()
    ledger.ack(100, 100)
    edit(ledger)
    expect(ledger.state().status).toBe('device')
    ledger.ack(1, 1)
    expect(ledger.state().status).toBe('device')
  })

  it('that say durable but not received mean both', () => {
    const ledger = connected()
    edit(ledger)
    ledger.ack(0, 2)
    expect(ledger.state().status).toBe('saved')
  })
})

describe('a rejection (X5)', () => {
  it('makes the edits of its message rejected, and no ack saves them', () => {
    const ledger = connected()
    edit(ledger, 1)
    edit(ledger, 2)
    expect(ledger.reject(2, false)).toMatchObject({ count: 1, update: UPDATE })
    ledger.ack(3, 3)
    expect(ledger.state()).toMatchObject({
      status: 'rejected',
      pending: 1,
      rejected: 1,
      durable: 1,
      oldestPending: 1,
    })
    ledger.end()
    expect(ledger.state().status).toBe('rejected')
  })

  it('that is offered again after a later one was saved isn’t taken for that one', () => {
    const ledger = connected()
    edit(ledger) // 1
    edit(ledger) // 2
    ledger.reject(2, false)
    ledger.ack(3, 3)
    expect(ledger.state()).toMatchObject({ status: 'rejected', durable: 1, pending: 1 })
    ledger.send(UPDATE, 0, true, true)
    expect(ledger.isDurable(1)).toBe(false)
    ledger.ack(4, 4)
    expect(ledger.isDurable(2)).toBe(true)
    edit(ledger) // 3
    expect(ledger.isDurable(2)).toBe(true)
    expect(ledger.isDurable(3)).toBe(false)
  })

  it('is undone when a later sync step 2 carries the edits and is durable', () => {
    const ledger = connected()
    edit(ledger, 1)
    ledger.reject(2, false)
    edit(ledger, 2)
    ledger.send(UPDATE, 3, true, true)
    expect(ledger.state()).toMatchObject({ status: 'device', pending: 2, rejected: 0, oldestPending: 1 })
    ledger.ack(3, 3)
    expect(ledger.state().status).toBe('device')
    ledger.ack(4, 4)
    expect(ledger.state()).toMatchObject({ status: 'saved', durable: 2 })
  })

  it('with a code that passes puts them back on the device', () => {
    const ledger = connected()
    edit(ledger)
    ledger.reject(2, true)
    edit(ledger)
    ledger.ack(3, 3)
    expect(ledger.state()).toMatchObject({ status: 'device', pending: 1, rejected: 0, durable: 1 })
    expect(ledger.isDurable(1)).toBe(false)
  })

  it('of an unknown or settled message is nothing', () => {
    const ledger = connected()
    expect(ledger.reject(1, false)).toBeUndefined()
    expect(ledger.reject(0, false)).toBeUndefined()
    expect(ledger.reject(9, false)).toBeUndefined()
    expect(ledger.state().status).toBe('saved')
  })

  it('happens here already to what is too large to be sent', () => {
    const ledger = connected()
    expect(ledger.send(UPDATE, 0, false, false)).toBe(1)
    expect(ledger.state()).toMatchObject({ status: 'rejected', rejected: 1 })
    expect(ledger.sent).toBe(1)
  })
})

describe('"saved" is not said', () => {
  it('before a server has confirmed anything', () => {
    const ledger = new Ledger()
    expect(ledger.state()).toMatchObject({ status: 'unknown', supported: null })
    ledger.begin('fsync')
    expect(ledger.state()).toMatchObject({ status: 'unknown', supported: true, durability: 'fsync' })
    ledger.send(NOTHING, 0, true, true)
    ledger.ack(1, 0)
    expect(ledger.state().status).toBe('unknown')
    ledger.ack(1, 1)
    expect(ledger.state().status).toBe('saved')
  })

  it('of a server that does not acknowledge, whatever it sends', () => {
    const ledger = connected()
    ledger.end()
    ledger.begin(null)
    ledger.send(NOTHING, 0, true, true)
    expect(ledger.state()).toMatchObject({
      status: 'unknown',
      supported: false,
      durability: null,
      pending: 0,
    })
    edit(ledger)
    ledger.ack(9, 9)
    expect(ledger.state()).toMatchObject({ status: 'unknown', pending: 1 })
    expect(ledger.isDurable(1)).toBe(false)
    ledger.end()
    expect(ledger.state().status).toBe('device')
  })

  it('while the server lacks what was saved before, after it lost its data', () => {
    const ledger = connected()
    edit(ledger)
    ledger.ack(2, 2)
    ledger.end()
    ledger.begin('fsync')
    ledger.send(UPDATE, 0, true, true)
    expect(ledger.state()).toMatchObject({ status: 'device', pending: 1 })
    ledger.ack(1, 1)
    expect(ledger.state().status).toBe('saved')
  })
})

it('keeping count stays cheap with many edits under way', () => {
  const ledger = connected()
  const started = performance.now()
  for (let i = 0; i < 20_000; i++) {
    edit(ledger, i)
    ledger.state()
  }
  for (let i = 0; i <= 20_000; i++) {
    ledger.ack(i + 1, i)
    ledger.state()
  }
  expect(ledger.state()).toMatchObject({ pending: 1, oldestPending: 19_999 })
  // Quadratic work would take minutes.
  expect(performance.now() - started).toBeLessThan(5_000)
})

/**
 * A ledger beside a model that knows each edit by number: which messages hold it, and whether the server
 * made one of them durable.
 */
class Model {
  readonly ledger = new Ledger()
  readonly durable = new Set<number>()
  edits = 0
  messages: Set<number>[] = []
  refused = new Set<number>()
  /** Which messages are sync step 2. */
  whole = new Set<number>()
  received = 0
  settled = 0
  live = false

  edit(): void {
    const id = ++this.edits
    if (!this.live) {
      this.ledger.hold(id)
      return
    }
    this.messages.push(new Set([id]))
    this.ledger.send(UPDATE, id, false, true)
  }

  connect(): void {
    if (this.live) return
    this.ledger.begin('fsync')
    this.live = true
    this.asked()
  }

  /** The server asks for what it lacks. */
  asked(): void {
    if (!this.live) return
    const lacks = [...Array(this.edits).keys()].map((i) => i + 1).filter((id) => !this.durable.has(id))
    this.messages.push(new Set(lacks))
    this.whole.add(this.messages.length)
    this.ledger.send(lacks.length > 0 ? UPDATE : NOTHING, 0, true, true)
  }

  ack(received: number, durable: number): void {
    this.received = Math.min(this.messages.length, this.received + received)
    this.settled = Math.min(this.received, this.settled + durable)
    this.messages.slice(0, this.settled).forEach((ids, i) => {
      if (!this.refused.has(i + 1)) for (const id of ids) this.durable.add(id)
    })
    this.ledger.ack(this.received, this.settled)
  }

  /** Edits in messages that arrived, aren't durable and weren't refused, and that no later message carries. */
  arrived(): number {
    const whole = this.messages.findLastIndex((_ids, i) => this.whole.has(i + 1))
    return this.messages
      .slice(0, this.received)
      .reduce(
        (sum, ids, i) => (i < this.settled || i < whole || this.refused.has(i + 1) ? sum : sum + ids.size),
        0,
      )
  }

  reject(ahead: number): void {
    const number = this.settled + 1 + ahead
    if (number > this.messages.length) return
    this.refused.add(number)
    this.ledger.reject(number, false)
  }

  drop(): void {
    this.ledger.end()
    this.messages = []
    this.refused = new Set()
    this.whole = new Set()
    this.received = this.settled = 0
    this.live = false
  }
}

it('no sequence of edits, sends, acks, rejections and lost links ever reports an edit saved early', () => {
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.constant((model: Model) => model.edit()) },
    { weight: 2, arbitrary: fc.constant((model: Model) => model.connect()) },
    { weight: 1, arbitrary: fc.constant((model: Model) => model.asked()) },
    {
      weight: 4,
      arbitrary: fc.tuple(fc.nat(3), fc.nat(3)).map(
        ([received, durable]) =>
          (model: Model) =>
            model.ack(received, durable),
      ),
    },
    { weight: 1, arbitrary: fc.nat(2).map((ahead) => (model: Model) => model.reject(ahead)) },
    { weight: 1, arbitrary: fc.constant((model: Model) => model.drop()) },
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const model = new Model()
      for (const run of commands) {
        run(model)
        const state = model.ledger.state()
        expect(state.durable + state.pending).toBe(model.edits)
        expect(state.durable).toBeLessThanOrEqual(model.durable.size)
        // When the server asks twice, the ledger waits for the second answer, though the first may be durable.
        if (state.durable === model.durable.size) expect(state.received).toBe(model.arrived())
        else expect(state.received + state.durable).toBeLessThanOrEqual(model.arrived() + model.durable.size)
        expect(state.received + state.rejected).toBeLessThanOrEqual(state.pending)
        if (state.status === 'saved') expect(model.durable.size).toBe(model.edits)
        for (let total = 1; total <= model.edits; total++) {
          if (!model.ledger.isDurable(total)) continue
          for (let id = 1; id <= total; id++) expect(model.durable.has(id)).toBe(true)
        }
        if (state.oldestPending !== null) expect(model.edits).toBeGreaterThanOrEqual(state.oldestPending)
      }
      // And it is not merely shy: once all is confirmed, it says so.
      model.drop()
      model.connect()
      model.ack(1, 1)
      expect(model.ledger.state()).toMatchObject({ status: 'saved', pending: 0 })
    }),
    { numRuns: 500 },
  )
})
