import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { runInkwire, serveProcess } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

/** A stock client that stays until the test is over. */
const client = (ws: string, name: string, params: Record<string, string> = {}) => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(ws, name, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
    params,
  })
  onTestFinished(() => {
    provider.destroy()
    doc.destroy()
  })
  return { doc, provider, text: doc.getText('text') }
}

const metric = async (url: string, name: string): Promise<number> => {
  const body = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1] ?? Number.NaN)
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

describe('inkwire serve', () => {
  it('prints the address on stdout, answers health checks, logs JSON lines on stderr', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    expect(server.stdout()).toBe(`Inkwire listens at ${server.url} — data in ${data}\n`)
    expect(await (await fetch(`${server.url}/healthz`)).text()).toBe('ok')
    expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({ ready: true, reasons: [] })
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    const logged = lines(server.stderr()).map((line) => JSON.parse(line))
    expect(logged.length).toBeGreaterThan(0)
    for (const line of logged)
      expect(line).toMatchObject({ level: 'info', time: expect.any(String), msg: expect.any(String) })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'at %s commits everything, closes clients with 1012 and exits 0',
    async (signal) => {
      const data = await tempDir()
      const server = await serveProcess(data)
      const { text, provider } = client(server.ws, 'notes')
      await until('synced', () => provider.synced)
      const closed = new Promise<number>((resolve) => {
        provider.once('connection-close', (event) => {
          provider.disconnect()
          resolve(event?.code ?? 0)
        })
      })
      const received = await metric(server.url, 'inkwire_updates_received_total')
      text.insert(0, 'typed in the last moment')
      await until(
        'received',
        async () => (await metric(server.url, 'inkwire_updates_received_total')) > received,
      )
      server.child.kill(signal)
      expect(await closed).toBe(1012)
      expect(await server.exited).toBe(0)

      const printed = runInkwire(['export', 'notes', '--format', 'text', '--data', data])
      expect(await printed.exited).toBe(0)
      expect(printed.stdout()).toBe('typed in the last moment')
    },
  )

  it('ends at once with 1 at a second signal', async () => {
    const server = await serveProcess(await tempDir())
    // Both are waiting when the process goes on, so there is no race with a quick shutdown.
    server.child.kill('SIGSTOP')
    server.child.kill('SIGTERM')
    server.child.kill('SIGINT')
    server.child.kill('SIGCONT')
    expect(await server.exited).toBe(1)
  })

  it('takes its options from the environment', async () => {
    const data = await tempDir()
    const running = runInkwire(['serve'], {
      INKWIRE_PORT: '0',
      INKWIRE_DATA: data,
      INKWIRE_NO_DEMO: '1',
      INKWIRE_LOG_LEVEL: 'silent',
      INKWIRE_PATH_PREFIX: '/docs',
    })
    const url = await until('it listens', () => /http:\S+/.exec(running.stdout())?.[0])
    expect((await fetch(url)).status).toBe(404)
    const { provider } = client(`${url.replace('http', 'ws')}/docs`, 'notes')
    await until('synced', () => provider.synced)
    running.child.kill('SIGTERM')
    expect(await running.exited).toBe(0)
    expect(running.stderr()).toBe('')
  })

  it('compacts in a worker thread of the built package', async () => {
    const server = await serveProcess(await tempDir())
    const { text, provider } = client(server.ws, 'long')
    await until('synced', () => provider.synced)
    for (let i = 0; i < 50; i++) text.insert(text.length, 'x'.repeat(10_000))
    await until('compacted', async () => (await metric(server.url, 'inkwire_compactions_total')) > 0)
    expect(await metric(server.url, 'inkwire_compactions_failed_total')).toBe(0)
    expect(await metric(server.url, 'inkwire_commit_seconds_count')).toBeGreaterThan(0)
    expect(await metric(server.url, 'inkwire_connections')).toBe(1)
    expect(await metric(server.url, 'inkwire_ready')).toBe(1)
  })

  it('keeps tokens out of the log, also at its most talkative', async () => {
    const server = await serveProcess(await tempDir(), { args: ['--log-level', 'debug'] })
    const { provider } = client(server.ws, 'notes', { token: 's3cret-token' })
    await until('synced', () => provider.synced)
    // A refused upgrade is logged too.
    const refused = new WebSocket(`${server.ws}/?token=s3cret-token`, {
      headers: { authorization: 'Bearer s3cret-token' },
    })
    await once(refused, 'close')
    server.child.kill('SIGTERM')
    await server.exited
    expect(server.stderr()).toContain('notes')
    expect(server.stderr()).not.toContain('s3cret')
  })
})

describe('inkwire serve that can not start says so in one line', () => {
  const failure = async (args: readonly string[]) => {
    const process = runInkwire(['serve', ...args])
    const code = await process.exited
    expect(lines(process.stderr())).toHaveLength(1)
    expect(process.stdout()).toBe('')
    return { code, line: process.stderr().trim() }
  }

  it('when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    expect(await failure(['--port', String(port), '--data', await tempDir()])).toEqual({
      code: 1,
      line: `inkwire: port ${port} is in use at 127.0.0.1: choose another by --port, or 0 for a free one (EADDRINUSE)`,
    })
  })

  it('when the data folder is in use', async () => {
    const data = await tempDir()
    await serveProcess(data)
    const { code, line } = await failure(['--port', '0', '--data', data])
    expect(code).toBe(1)
    expect(line).toMatch(/in use.*INKWIRE_STORE_LOCKED/)
  })

  it('when the data folder can not be one', async () => {
    const file = join(await tempDir(), 'file')
    await writeFile(file, 'a file')
    for (const data of [file, join(file, 'below'), '/sys/inkwire']) {
      const { code, line } = await failure(['--port', '0', '--data', data])
      expect(code).toBe(1)
      expect(line).toContain(data)
    }
  })

  it('when an option is bad', async () => {
    expect(await failure(['--port', 'abc'])).toEqual({
      code: 2,
      line: 'inkwire: --port must be a whole number from 0 to 65535, not "abc"',
    })
    expect(await failure(['--nonsense'])).toMatchObject({ code: 2 })
  })
})

it('main.js starts under plain node and by its own first line', async () => {
  const [manifest, main] = await Promise.all([
    readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    readFile(new URL('../../dist/server/main.js', import.meta.url), 'utf8'),
  ])
  expect(JSON.parse(manifest).bin).toEqual({ inkwire: 'dist/server/main.js' })
  expect(main.startsWith('#!/usr/bin/env node\n')).toBe(true)
})
