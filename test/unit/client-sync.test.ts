import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Event } from '../../client/machine.js'
import type { Teller } from '../../client/outbox.js'
import { Ledger } from '../../client/saves.js'
import { Sync } from '../../client/sync.js'
import { decodeMessage, encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'

const G1 = '1'.repeat(32)
const G2 = '2'.repeat(32)

const hello = (fields: Partial<Extract<Message, { type: 'hello' }>> = {}): Message => ({
  type: 'hello',
  generation: G1,
  seq: 3,
  access: 'write',
  durability: 'fsync',
  maxMessageBytes: 1_000,
  ...fields,
})
const step1: Message = { type: 'syncStep1', stateVector: Uint8Array.of(0) }
const step2 = (update: Uint8Array = Uint8Array.of(0, 0)): Message => ({ type: 'syncStep2', update })

const docs: Y.Doc[] = []

/** A document's exchange without a socket: what it sends and tells is written down. */
const exchange = (generation: string | null = null, initial: Uint8Array | null = null) => {
  const doc = new Y.Doc()
  docs.push(doc)
  const ledger = new Ledger()
  const replica = { doc, awareness: new Awareness(doc), generation }
  const sent: Message[] = []
  const steps: Event[] = []
  const told: [name: string, ...args: unknown[]][] = []
  let asked = 0
  const link = {
    send: (bytes: Uint8Array) => void sent.push(decodeMessage(bytes)),
    step: (event: Event) => {
      // Follows each first hello.
      if (event.type !== 'admitted') steps.push(event)
      if (event.type === 'refused' || event.type === 'lost') sync.end()
    },
    authenticate: () => void asked++,
  }
  const teller: Teller = { tell: (...event) => void told.push(event) }
  const sync: Sync = new Sync(replica, ledger, link, teller, {
    ...(generation && { generation }),
    ...(initial && { initialContent: (empty) => Y.applyUpdate(empty, initial) }),
  })
  doc.on('update', (update: Uint8Array, from: unknown) => {
    if (from !== replica) sync.edited(update)
  })
  return {
    doc,
    text: doc.getText('t'),
    ledger,
    sync,
    steps,
    told,
    asked: () => asked,
    /** What was sent since the last call, by type. */
    sent: () => sent.splice(0),
    types: () => sent.splice(0).map(({ type }) => type),
    hear: (...messages: Message[]) => {
      for (const message of messages) sync.received(encodeMessage(message))
    },
  }
}

/** Someone else's edit. */
const foreign = (text = 'theirs'): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

afterEach(() => {
  // Their presence has a timer.
  for (const doc of docs.splice(0)) doc.destroy()
  vi.restoreAllMocks()
})

describe('X1: whether a server speaks the extensions', () => {
  it('is decided by its first message, although it selected the subprotocol', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(step1, hello())
    one.text.insert(0, 'a')
    expect(one.ledger.state().supported).toBe(false)
    expect(one.types()).toEqual(['syncStep1', 'syncStep2', 'update'])
  })

  it('is decided at once when it selected another, or none', () => {
    for (const protocol of ['', 'mine']) {
      const one = exchange()
      one.sync.begin(protocol)
      one.text.insert(0, 'a')
      expect(one.types()).toEqual(['syncStep1', 'update'])
    }
  })
})

describe('local edits', () => {
  it('wait for the hello and our sync step 2, which covers them', () => {
    const one = exchange()
    one.text.insert(0, 'before')
    one.sync.begin('inkwire.1')
    one.text.insert(0, '1')
    expect(one.types()).toEqual(['syncStep1'])
    one.hear(hello())
    one.text.insert(0, '2')
    expect(one.types()).toEqual([])
    one.hear(step1)
    one.text.insert(0, '3')
    const [answer, update] = one.sent()
    expect([answer?.type, update?.type]).toEqual(['syncStep2', 'update'])
    const server = new Y.Doc()
    if (answer?.type === 'syncStep2') Y.applyUpdate(server, answer.update)
    expect(server.getText('t').toString()).toBe('21before')
    one.hear({ type: 'ack', received: 2, durable: 1 })
    expect(one.ledger.state()).toMatchObject({ status: 'received', pending: 1, durable: 3 })
  })

  it('after the connection has ended wait for the next one', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.sync.end()
    one.sent()
    one.text.insert(0, 'a')
    expect(one.sent()).toEqual([])
    expect(one.ledger.state()).toMatchObject({ status: 'device', pending: 1 })
  })

  it('that the server would refuse as too large are rejected here', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.sent()
    one.text.insert(0, 'x'.repeat(1_000))
    expect(one.sent()).toEqual([])
    expect(one.told.at(-1)).toMatchObject(['rejected', { code: 1009, edits: 1, retried: false }])
    expect(one.ledger.state().status).toBe('rejected')
  })
})

describe('X2, X3: generations', () => {
  it('another one stops the exchange before anything is merged or sent', () => {
    const one = exchange(G2)
    one.text.insert(0, 'mine')
    one.sync.begin('inkwire.1')
    one.hear(hello())
    one.text.insert(0, 'still ')
    expect(one.steps).toEqual([{ type: 'refused', code: 4409, reason: 'generation-changed' }])
    expect(one.types()).toEqual(['syncStep1'])
    expect(one.ledger.state()).toMatchObject({ status: 'device', pending: 2 })
  })

  it('the remembered one is said before the first update message', () => {
    const one = exchange(G1)
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    expect(one.sent().slice(1)).toMatchObject([{ type: 'join', generation: G1 }, { type: 'syncStep2' }])
  })

  it('is bound by a complete sync with a document that has history, even in parts', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1, { type: 'update', update: foreign() })
    expect(one.sync.generation).toBe(null)
    one.hear(step2())
    expect(one.told).toContainEqual(['generation', G1])
  })

  it('is not bound by looking at an empty document, acks included', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(), { type: 'ack', received: 1, durable: 1 })
    expect(one.sync.generation).toBe(null)
    one.sync.end()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0, generation: G2 }))
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it('is bound once an edit of ours is durable, not before', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2())
    one.text.insert(0, 'first')
    one.hear({ type: 'ack', received: 2, durable: 1 })
    expect(one.sync.generation).toBe(null)
    one.hear({ type: 'ack', received: 2, durable: 2 })
    expect(one.sync.generation).toBe(G1)
  })

  it("is bound by others' first edits once an ack proves that they are durable", () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(), { type: 'ack', received: 1, durable: 1 })
    one.sent()
    one.hear({ type: 'update', update: foreign() }, { type: 'update', update: foreign() })
    expect(one.sent()).toEqual([{ type: 'update', update: Uint8Array.of(0, 0) }])
    expect(one.sync.generation).toBe(null)
    expect(one.ledger.state()).toMatchObject({ pending: 0 })
    one.hear({ type: 'ack', received: 2, durable: 2 })
    expect(one.sync.generation).toBe(G1)
  })

  it('is not bound by an edit that was refused', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2())
    one.text.insert(0, 'no')
    one.hear(
      { type: 'rejection', message: 2, code: 4403, reason: 'no' },
      { type: 'ack', received: 2, durable: 2 },
    )
    expect(one.sync.generation).toBe(null)
  })
})

describe('X2: access', () => {
  it('is told by each hello, and a later one changes nothing else', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.text.insert(0, 'a')
    one.sent()
    one.hear(hello({ access: 'read' }))
    expect(one.sync.access).toBe('read')
    expect(one.told).toEqual([
      ['access', 'write'],
      ['access', 'read'],
    ])
    expect(one.sent()).toEqual([])
    one.hear({ type: 'ack', received: 2, durable: 2 })
    expect(one.ledger.state()).toMatchObject({ status: 'saved', durable: 1 })
  })

  it('is taken back by a server that says nothing of it: who was read-only hears that', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello({ access: 'read' }))
    one.sync.end()
    expect(one.sync.access).toBe('read')
    one.sync.begin('')
    expect(one.sync.access).toBeNull()
    expect(one.told.at(-1)).toEqual(['access', 'write'])
  })

  it('X7: a server that wants a token first is not taken for another', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear({ type: 'authenticate' }, hello())
    expect(one.asked()).toBe(1)
    expect(one.sync.access).toBe('write')
    expect(one.ledger.state().supported).toBe(true)
  })
})

describe('X9: initial content', () => {
  const content = foreign('content')

  it('is offered to a document without history, and the sync is complete once it has some', () => {
    const one = exchange(null, content)
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }))
    expect(one.types()).toEqual(['syncStep1', 'initialContent', 'syncStep1'])
    one.hear(step1, step2())
    expect(one.steps).toEqual([])
    one.hear({ type: 'update', update: foreign('somebody else’s') }, step2())
    expect(one.steps).toEqual([{ type: 'synced' }])
    expect(one.text.toString()).toBe('somebody else’s')
  })

  it('needs one answer only', () => {
    const one = exchange(null, content)
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(content))
    expect(one.steps).toEqual([{ type: 'synced' }])
    expect(one.ledger.state()).toMatchObject({ pending: 0 })
  })

  it('that is refused is done without', () => {
    const one = exchange(null, content)
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1, step2(), step2())
    expect(one.steps).toEqual([])
    one.hear({ type: 'rejection', message: 0, code: 4413, reason: 'full' }, step2())
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it.each([
    ['a document with history', { seq: 1 }, null],
    ['a reader', { seq: 0, access: 'read' as const }, null],
    ['a server that does not take so much', { seq: 0, maxMessageBytes: 10 }, null],
    ['a device that has something', { seq: 0 }, 'mine'],
  ])('is not offered for %s', (_, fields, mine) => {
    const one = exchange(null, content)
    if (mine) one.text.insert(0, mine)
    one.sync.begin('inkwire.1')
    one.hear(hello(fields), step1, step2())
    expect(one.types()).not.toContain('initialContent')
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it('is not offered to a server without extensions', () => {
    const one = exchange(null, content)
    one.sync.begin('')
    one.hear(step1, step2())
    expect(one.types()).not.toContain('initialContent')
    expect(one.steps).toEqual([{ type: 'synced' }])
  })
})

describe('X5: rejections', () => {
  const refused = (code: number) => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.text.insert(0, 'a')
    one.told.length = 0
    one.hear({ type: 'rejection', message: 2, code, reason: 'because' })
    return one
  }

  it('for good are told with the update, and the exchange goes on', () => {
    const one = refused(4403)
    expect(one.told).toMatchObject([
      ['rejected', { code: 4403, reason: 'because', edits: 1, retried: false }],
    ])
    const [, event] = one.told[0] ?? []
    const copy = new Y.Doc()
    Y.applyUpdate(copy, (event as { update: Uint8Array }).update)
    expect(copy.getText('t').toString()).toBe('a')
    expect(one.ledger.state().status).toBe('rejected')
    expect(one.steps).toEqual([])
  })

  it('that pass are told, and the edits are offered again on the next connection', () => {
    const one = refused(4529)
    expect(one.told).toMatchObject([['rejected', { code: 4529, edits: 1, retried: true }]])
    expect(one.steps).toEqual([{ type: 'lost' }])
    expect(one.ledger.state().status).toBe('device')
  })

  it('of presence are told without an update', () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1)
    one.told.length = 0
    one.hear({ type: 'rejection', message: 0, code: 4529, reason: 'too fast' })
    expect(one.told).toMatchObject([['rejected', { edits: 0, update: null, retried: false }]])
    expect(one.steps).toEqual([])
  })

  it('W6: permission denied is told as a rejection', () => {
    const one = exchange()
    one.sync.begin('')
    one.hear({ type: 'permissionDenied', reason: 'no' })
    expect(one.told).toMatchObject([['rejected', { code: 4403, reason: 'no', update: null }]])
  })
})

describe('W7: what can not be decoded', () => {
  const garbage = Uint8Array.of(99, 1, 2)

  it('is passed over from other servers, which may have messages of their own', () => {
    const reported = vi.spyOn(console, 'error').mockReturnValue()
    const one = exchange()
    one.sync.begin('')
    one.sync.received(garbage)
    expect(reported).toHaveBeenCalledOnce()
    expect(one.steps).toEqual([])
  })

  it('ends the connection with a server that greeted', () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello())
    one.sync.received(garbage)
    expect(one.steps).toEqual([{ type: 'lost' }])
  })

  it('an observer that throws does not keep the exchange from being complete', () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const one = exchange()
    one.text.observe(() => {
      throw new Error('a bug of the app')
    })
    one.sync.begin('')
    one.hear(step2(foreign()))
    expect(one.text.toString()).toBe('theirs')
    expect(one.steps).toEqual([{ type: 'synced' }])
  })

  it('an observer that ends the connection ends the handling of its message', () => {
    const one = exchange()
    one.text.observe(() => one.sync.end())
    one.sync.begin('inkwire.1')
    one.hear(hello({ seq: 0 }), step1)
    one.sent()
    one.hear(step2(foreign()))
    expect(one.steps).toEqual([])
    expect(one.sent()).toEqual([])
    expect(one.ledger.sent).toBe(0)
  })
})

/**
 * A server that relays from memory and commits now and then, at the other end of two queues. It is as good
 * as PROTOCOL.md asks for, X4 included: a message without news is durable no sooner than what was held
 * before it.
 */
class Server {
  readonly room = new Y.Doc()
  readonly disk = new Y.Doc()
  /** Ack state per message: how many commits must have happened. */
  #messages: number[] = []
  #commits = 0
  #rejecting: number | null = null
  toClient: Message[] = []

  connect(): void {
    const hasHistory = this.disk.store.clients.size > 0
    this.#messages = []
    this.toClient = [
      hello({ seq: hasHistory ? 1 : 0, maxMessageBytes: 1 << 20 }),
      { type: 'syncStep1', stateVector: Y.encodeStateVector(this.room) },
    ]
  }

  hear(message: Message): void {
    if (message.type === 'syncStep1') {
      this.toClient.push(step2(Y.encodeStateAsUpdate(this.room, message.stateVector)))
    }
    if (message.type !== 'syncStep2' && message.type !== 'update') return
    if (this.#rejecting === null) Y.applyUpdate(this.room, message.update)
    else {
      const number = this.#messages.length + 1
      this.toClient.push({ type: 'rejection', message: number, code: this.#rejecting, reason: '' })
      this.#rejecting = null
    }
    this.#messages.push(this.#commits + 1)
  }

  ask(): void {
    this.toClient.push({ type: 'syncStep1', stateVector: Y.encodeStateVector(this.room) })
  }

  ack(): void {
    let durable = 0
    while ((this.#messages[durable] ?? Number.POSITIVE_INFINITY) <= this.#commits) durable++
    this.toClient.push({ type: 'ack', received: this.#messages.length, durable })
  }

  commit(): void {
    this.#commits++
    Y.applyUpdate(this.disk, Y.encodeStateAsUpdate(this.room))
  }

  rejectNext(code: number): void {
    this.#rejecting = code
  }

  /** What a server that was killed comes back with. */
  crashed(): Server {
    const next = new Server()
    for (const doc of [next.room, next.disk]) Y.applyUpdate(doc, Y.encodeStateAsUpdate(this.disk))
    return next
  }
}

it('edits, cut links, crashes, rejections and late acks in any order: "saved" means on the disk', () => {
  const commands = [
    'edit',
    'edit',
    'connect',
    'up',
    'up',
    'up',
    'down',
    'down',
    'down',
    'commit',
    'ack',
  ] as const
  const rare = ['cut', 'crash', 'ask', 'reject', 'rejectForNow'] as const
  const script = fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...commands) },
      { weight: 2, arbitrary: fc.constantFrom(...rare) },
    ),
    { maxLength: 120 },
  )
  fc.assert(
    fc.property(script, (names) => {
      const one = exchange()
      let server = new Server()
      let connected = false
      let toServer: Message[] = []
      /** Each edit's text, and its place in the ledger's count. */
      const edits: { text: string; total: number }[] = []
      const onDisk = (text: string): boolean => server.disk.getText('t').toString().includes(text)
      const cut = (): void => {
        connected = false
        toServer = []
        server.toClient = []
        one.sync.end()
      }
      const connect = (): void => {
        connected = true
        one.sent()
        server.connect()
        one.sync.begin('inkwire.1')
      }
      const down = (): void => {
        const message = connected ? server.toClient.shift() : undefined
        if (!message) return
        one.hear(message)
        if (one.steps.splice(0).some(({ type }) => type === 'lost')) cut()
      }
      const up = (): void => {
        const message = connected ? toServer.shift() : undefined
        if (message) server.hear(message)
      }
      const run: { [name in (typeof commands)[number] | (typeof rare)[number]]: () => void } = {
        edit: () => {
          const text = `<${edits.length}>`
          one.text.insert(one.text.length, text)
          edits.push({ text, total: one.ledger.total })
        },
        connect: () => (connected ? undefined : connect()),
        up,
        down,
        commit: () => server.commit(),
        ack: () => server.ack(),
        cut: () => (connected ? cut() : undefined),
        crash: () => {
          cut()
          server = server.crashed()
        },
        ask: () => server.ask(),
        reject: () => server.rejectNext(4403),
        rejectForNow: () => server.rejectNext(4529),
      }
      const check = (): void => {
        toServer.push(...one.sent())
        const { status } = one.ledger.state()
        if (status === 'saved') for (const { text } of edits) expect(onDisk(text)).toBe(true)
        for (const { text, total } of edits) if (one.ledger.isDurable(total)) expect(onDisk(text)).toBe(true)
      }
      for (const name of names) {
        run[name]()
        check()
      }
      // And once all is calm, everything is saved.
      cut()
      server.rejectNext(0)
      server = server.crashed()
      connect()
      for (let i = 0; i < 10; i++) {
        check()
        up()
        server.commit()
        server.ack()
        down()
        down()
      }
      expect(one.ledger.state()).toMatchObject({ status: 'saved', pending: 0 })
      for (const { text } of edits) expect(onDisk(text)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

describe('resuming (PROTOCOL X3, X4)', () => {
  /** Synced, with an edit of its own that is durable, and a mark. */
  const marked = () => {
    const one = exchange()
    one.sync.begin('inkwire.1')
    one.hear(hello(), step1, step2(foreign()))
    one.text.insert(0, 'mine')
    one.hear({ type: 'ack', received: 2, durable: 2, mark: 5 })
    one.sync.end()
    one.sent()
    return one
  }

  it('says its mark before it asks, and asks only when it was greeted', () => {
    const one = marked()
    one.sync.begin('inkwire.1')
    expect(one.types()).toEqual([])
    one.hear(hello({ seq: 9 }))
    expect(one.sent()).toMatchObject([{ type: 'join', generation: G1, seq: 5 }, { type: 'syncStep1' }])
  })

  it('asks a server that turns out to be another kind as any other client', () => {
    const one = marked()
    one.sync.begin('inkwire.1')
    one.hear(step1)
    expect(one.types()).toEqual(['syncStep1', 'syncStep2'])
  })
})
