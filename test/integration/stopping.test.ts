import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { InkwireServer, ServerOptions } from '../../server/index.js'
import type { InkwireError } from '../../shared/errors.js'
import { built } from '../support/inkwire.js'
import { connectRaw } from '../support/raw.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/** A server within an HTTP server that goes on when it stops, and what it says that an operator should look at. */
const embed = async (
  options: ServerOptions = {},
): Promise<{ inkwire: InkwireServer; ws: string; complaints: string[] }> => {
  const complaints: string[] = []
  const ignore = (): void => undefined
  const complain = (_fields: unknown, message: string): void => void complaints.push(message)
  const logger = { debug: ignore, info: ignore, warn: complain, error: complain, child: () => logger }
  const inkwire = built.createServer({ data: await tempDir(), demo: false, logger, ...options })
  const http = createHttpServer()
  http.on('upgrade', (request, socket, head) => inkwire.handleUpgrade(request, socket, head))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await inkwire.close()
    http.close()
  })
  return { inkwire, ws: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`, complaints }
}

/** Whether its store is still to be had. */
const isOpen = async ({ documents }: InkwireServer): Promise<boolean> => {
  try {
    await documents.list().next()
    return true
  } catch (error) {
    return (error as InkwireError).code !== 'INKWIRE_STORE_CLOSED'
  }
}

describe('who comes while the server stops is told to come back, which is nothing to look at', () => {
  it('at the gate', async () => {
    const { inkwire, ws, complaints } = await embed()
    const before = await connectRaw(`${ws}/doc`)
    await before.first('syncStep1')
    const closing = inkwire.close()
    const late = await connectRaw(`${ws}/doc`)
    expect((await late.closed).code).toBe(1012)
    await closing
    const later = await connectRaw(`${ws}/other`)
    expect((await later.closed).code).toBe(1012)
    expect(complaints).toEqual([])
  })

  it('past the gate, before its document was opened', async () => {
    let letIn: (() => void) | undefined
    const { inkwire, ws, complaints } = await embed({
      authorize: ({ document }) =>
        new Promise((resolve) => {
          const grant = () => resolve({ user: 'ada', access: 'write' })
          if (document === 'late') letIn = grant
          else grant()
        }),
    })
    const before = await connectRaw(`${ws}/doc`)
    await before.first('syncStep1')
    const late = await connectRaw(`${ws}/late`)
    await until('it is asked who that is', () => letIn)
    const closing = inkwire.close()
    while (await isOpen(inkwire)) await new Promise(setImmediate)
    letIn?.()
    expect((await late.closed).code).toBe(1012)
    await closing
    expect(complaints).toEqual([])
  })
})
