import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import * as Y from 'yjs'
import { decodeMessage } from '../../shared/codec.js'
import { SUBPROTOCOL } from '../../shared/messages.js'
import { lineChart } from './chart.js'
import { Client } from './client.js'
import { type Places, start } from './contenders.js'
import { updateOf } from './dialect.js'
import { MiB, until } from './figures.js'
import { cpuSeconds, residentBytes } from './usage.js'

const EDITS = 2_000_000
const STEP = 50_000
const DOCUMENT = 'old'

/** One document over 2 million edits: what an edit costs must depend neither on its size nor on its age. */
export const lifetime = async (places: Places, results: string): Promise<void> => {
  const server = await start('inkwire', places)
  try {
    let durable = 0
    let at = 0
    let doc = new Y.Doc()
    const cost: [number, number][] = []
    const memory: [number, number][] = []
    while (at < EDITS) {
      // A new page each time, as people come and go: another connection, another client id.
      const state = doc
      doc = new Y.Doc()
      durable = 0
      const author = await Client.open(server.url, {
        dialect: server.dialect,
        document: DOCUMENT,
        protocol: SUBPROTOCOL,
        stateVector: Y.encodeStateVector(state),
        onMessage: (kind, bytes, at, end) => {
          const message = kind === 'other' ? decodeMessage(bytes.subarray(at, end)) : null
          if (message?.type === 'ack') ({ durable } = message)
        },
      })
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(state))
      const updates: Uint8Array[] = []
      doc.on('update', (update: Uint8Array) => void updates.push(update))
      const text = doc.getText('text')
      let cursor = text.length
      for (let i = 0; i < STEP; i++) {
        // Mostly typing on, sometimes taking back, now and then elsewhere.
        if (i % 500 === 0) cursor = Math.floor(((((at + i) * 7919) % 1_000_003) / 1_000_003) * text.length)
        if (i % 10 === 9 && cursor > 0) text.delete(--cursor, 1)
        else text.insert(cursor++, 'lorem ipsum '[i % 12] as string)
      }
      const cpu = cpuSeconds(server.pid)
      for (let i = 0; i < updates.length; i += 200) {
        if (!author.sendAll(updates.slice(i, i + 200).map(updateOf))) await once(author.socket, 'drain')
      }
      await until('the step is durable', () => durable >= updates.length, 120_000)
      at += STEP
      cost.push([at, ((cpuSeconds(server.pid) - cpu) / STEP) * 1e6])
      memory.push([at, residentBytes(server.pid) / MiB])
      author.close()
      console.log(
        `${at.toLocaleString('en').padStart(9)} edits: ${cost.at(-1)?.[1].toFixed(1)} µs an edit, ${memory.at(-1)?.[1].toFixed(0)} MiB`,
      )
    }
    writeFileSync(
      `${results}lifetime.svg`,
      lineChart(
        'One document over 2 million edits',
        [
          { label: 'µs of CPU an edit', color: '#0b7285', points: cost },
          { label: 'memory of the server, MiB', color: '#c2255c', points: memory },
        ],
        { x: 'edits', y: '' },
      ),
    )
    writeFileSync(`${results}lifetime.json`, `${JSON.stringify({ cost, memory })}\n`)
  } finally {
    await server.stop()
  }
}
