import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { findChromium } from './chromium.js'

/** What a test file gets from {@link useBrowser}; usable inside tests. */
export interface BrowserHarness {
  /** The browser itself, for what is not covered here. */
  readonly browser: Browser
  /**
   * A fresh page, in a context of its own unless one is given. It is closed when the test ends, and the
   * test fails if the page logged an error or threw one.
   */
  newPage(context?: BrowserContext): Promise<TestPage>
}

/** A page that remembers what went wrong in it. */
export interface TestPage {
  readonly page: Page
  /** Errors logged or thrown in the page so far. Take out those that a test expects. */
  readonly errors: string[]
  readonly ime: Ime
}

/** An input method, driven as the operating system would. */
export interface Ime {
  /** Shows `text` as the composition under way, replacing what it showed before, the caret at its end. */
  compose(text: string): Promise<void>
  /** Ends the composition with `text`, or inserts it if there is none. */
  commit(text: string): Promise<void>
  /** Ends the composition with nothing. */
  cancel(): Promise<void>
}

/**
 * One browser for all tests of a file, started before the first and closed after the last.
 *
 * @example
 *   const harness = useBrowser()
 *   it('…', async () => { const { page } = await harness.newPage() … })
 */
export const useBrowser = (): BrowserHarness => {
  let browser: Browser | undefined
  const running = (): Browser => {
    if (!browser) throw new Error('the browser runs inside tests only')
    return browser
  }

  beforeAll(async () => {
    const { executablePath, env } = await findChromium()
    browser = await chromium.launch({
      executablePath,
      env: { ...process.env, ...env },
      // The machine may be a container without user namespaces, a GPU or room in /dev/shm.
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none'],
    })
  }, 120_000)
  afterAll(() => browser?.close())

  return {
    get browser() {
      return running()
    },
    async newPage(context) {
      const own = context ? null : await running().newContext({ viewport: { width: 900, height: 700 } })
      const page = await (context ?? own)?.newPage()
      if (!page) throw new Error('no context to open a page in')
      const errors: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text())
      })
      page.on('pageerror', (error) => errors.push(String(error.stack ?? error)))
      onTestFinished(async () => {
        await (own ?? page).close()
        expect(errors, 'errors in the page').toEqual([])
      })
      return { page, errors, ime: imeOf(await page.context().newCDPSession(page)) }
    },
  }
}

const imeOf = (devtools: CDPSession): Ime => {
  const compose = async (text: string) => {
    await devtools.send('Input.imeSetComposition', {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    })
  }
  return {
    compose,
    commit: async (text) => {
      await devtools.send('Input.insertText', { text })
    },
    cancel: () => compose(''),
  }
}

/** Bundles a TypeScript entry of the project, given relative to its root, for a `<script type=module>`. */
export const bundle = async (entry: string, plugins: Plugin[] = []): Promise<string> => {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL('../../', import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
    plugins,
  })
  const [file] = outputFiles
  if (!file) throw new Error(`nothing came out of ${entry}`)
  return file.text
}

/** What {@link servePages} gives: where it listens, with `/` at the end, and how to stop it. */
export interface PageServer {
  readonly url: string
  close(): Promise<void>
}

/** Serves texts by path (`{ '/': '<html>…', '/page.js': '…' }`) on a free local port. */
export const servePages = async (files: Readonly<Record<string, string>>): Promise<PageServer> => {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const body = files[path]
    if (body === undefined) response.writeHead(path === '/favicon.ico' ? 204 : 404).end()
    else {
      const type = path.endsWith('.js') ? 'text/javascript' : 'text/html'
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}
