import type { BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { applyUpdate, Doc } from 'yjs'
import type { InkwireOptions } from '../../client/index.js'
import type { ServerOptions } from '../../server/index.js'
import type { OfflinePage } from '../browser/pages/offline.js'
import { bundle, type PageServer, servePages, type TestPage, useBrowser } from './browser.js'
import { built } from './inkwire.js'
import { tempDir } from './temp.js'
import { until } from './until.js'

/** What the page's provider says now. */
export interface OfflineState {
  readonly text: string
  readonly status: string
  readonly pending: number
  readonly oldestPending: number | null
  readonly device: string
  readonly generation: string | null
  /** Every save status that the app was told. */
  readonly saves: readonly string[]
  /** Every state of the device that the app was told. */
  readonly devices: readonly string[]
  readonly closes: readonly number[]
}

/** A page with one document that is kept on the device. */
export interface OfflineTab extends TestPage {
  /** Joins a document, and waits until the device's copy is in it. */
  join(server: string, name: string, options?: InkwireOptions): Promise<OfflineState>
  state(): Promise<OfflineState>
  /** Appends to the text. */
  type(text: string): Promise<void>
  /** Waits until everything typed is in the device's storage. */
  stored(): Promise<void>
  saved(): Promise<void>
  /** Waits until the device knows, too, that everything is saved. */
  settled(): Promise<void>
  /** Bytes and number of the updates that the device holds, of all documents. */
  updates(): Promise<{ count: number; bytes: number }>
  close(): Promise<void>
}

/** Opens the pages of a test file. */
export const useOffline = () => {
  const harness = useBrowser()
  let pages: PageServer | undefined
  beforeAll(async () => {
    pages = await servePages({
      '/': '<!doctype html><meta charset="utf-8"><body><script type="module" src="/page.js"></script>',
      '/page.js': await bundle('test/browser/pages/offline.ts'),
    })
  })
  afterAll(() => pages?.close())

  return {
    /** Where the pages are: the origin that owns the storage. */
    get origin() {
      return new URL(pages?.url ?? '').origin
    },
    /** A browser profile. */
    async profile(): Promise<BrowserContext> {
      const context = await harness.browser.newContext()
      onTestFinished(() => context.close())
      return context
    },
    /** A tab of it. `before` runs in the page before anything else. */
    async tab(context: BrowserContext, before?: () => void): Promise<OfflineTab> {
      const opened = await harness.newPage(context)
      const { page, errors } = opened
      // Browsers log every attempt to reach a server that is away.
      page.on('console', () => {
        for (let index = errors.length - 1; index >= 0; index--) {
          if (/WebSocket connection to .* failed/.test(errors[index] ?? '')) errors.splice(index, 1)
        }
      })
      if (before) await page.addInitScript(before)
      await page.goto(pages?.url ?? '')
      const state = () =>
        page.evaluate(() => ({
          text: text.toString(),
          status: provider.saveState.status,
          pending: provider.saveState.pending,
          oldestPending: provider.saveState.oldestPending,
          device: provider.device.status,
          generation: provider.generation,
          saves,
          devices,
          closes,
        }))
      return {
        ...opened,
        async join(server, name, options = {}) {
          await page.evaluate(
            ({ url, room, settings }) => {
              joinOffline(url, room, settings)
            },
            { url: server, room: name, settings: options as object },
          )
          await page.evaluate(() => provider.whenLoaded)
          return state()
        },
        state,
        type: (added) => page.evaluate((inserted) => text.insert(text.length, inserted), added),
        async stored() {
          await page.waitForFunction(() => provider.device.status === 'stored')
        },
        saved: () => page.evaluate(() => provider.whenSaved({ timeout: 15_000 })),
        async settled() {
          await until('the device knows that everything is saved', () =>
            page.evaluate(async () => {
              const documents = await device.documentsOnDevice()
              return documents.every(({ unsaved, generation }) => unsaved === 0 && generation !== null)
            }),
          )
        },
        updates: () =>
          page.evaluate(
            () =>
              new Promise<{ count: number; bytes: number }>((resolve, reject) => {
                const opening = indexedDB.open('inkwire')
                opening.onerror = () => reject(opening.error)
                opening.onsuccess = () => {
                  const reading = opening.result.transaction('updates').objectStore('updates').getAll()
                  reading.onsuccess = () => {
                    const found = (reading.result as Uint8Array[][]).flat()
                    opening.result.close()
                    resolve({
                      count: found.length,
                      bytes: found.reduce((sum, { length }) => sum + length, 0),
                    })
                  }
                }
              }),
          ),
        close: () => page.close(),
      }
    },
  }
}

/** A server that can go away and come back at the same address. */
export const startFlakyServer = async (options: ServerOptions = {}) => {
  const data = await tempDir()
  const start = async (port: number) => {
    const server = built.createServer({ ...options, port, demo: false, roomLingerMs: 0, data })
    const { url } = await server.listen()
    return { server, url }
  }
  let { server, url } = await start(0)
  let running = true
  onTestFinished(async () => {
    if (running) await server.close()
  })
  return {
    ws: url.replace('http', 'ws'),
    get server() {
      return server
    },
    /** A document's text, as the server has it. */
    async text(name: string) {
      const doc = new Doc()
      applyUpdate(doc, await server.documents.read(name))
      return doc.getText('t').toString()
    },
    async stop() {
      running = false
      await server.close()
    },
    async restart() {
      ;({ server, url } = await start(Number(new URL(url).port)))
      running = true
    },
  }
}

// The page's globals, for the functions that are evaluated in it.
declare global {
  const joinOffline: OfflinePage['joinOffline']
  const provider: OfflinePage['provider']
  const saves: OfflinePage['saves']
  const devices: OfflinePage['devices']
  const closes: OfflinePage['closes']
  const device: OfflinePage['device']
}
