import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { Message } from '../../shared/messages.js'
import { exchange, hello, step2 } from '../support/exchange.js'

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
