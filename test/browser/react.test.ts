import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Access } from '../../server/index.js'
import { bundle, type PageServer, servePages, type TestPage, useBrowser } from '../support/browser.js'
import { metric, startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { tempDir } from '../support/temp.js'
import { App } from './pages/react-hydrate.js'

const harness = useBrowser()
let pages: PageServer

beforeAll(async () => {
  pages = await servePages({
    '/': '<!doctype html><title>React</title><body><script type="module" src="/page.js"></script>',
    '/page.js': await bundle('test/browser/pages/react.tsx'),
  })
})
afterAll(() => pages.close())

interface Person extends TestPage {
  /** What an `<output>` shows. */
  read(id: string): Promise<string | null>
  /** Sockets that the page has opened so far, by document. */
  sockets(): Promise<readonly string[]>
}

const open = async (ws: string, name: string): Promise<Person> => {
  const context = await harness.browser.newContext()
  const opened = await harness.newPage(context)
  const { page } = opened
  await page.addInitScript(countSockets)
  await page.goto(`${pages.url}#${encodeURIComponent(`${ws} ${name}`)}`)
  return {
    ...opened,
    read: (id) => page.evaluate((id) => document.getElementById(id)?.textContent ?? null, id),
    sockets: () => page.evaluate(() => window.sockets),
  }
}

/** Runs in the page, before its own scripts. */
const countSockets = (): void => {
  const sockets: string[] = []
  window.sockets = sockets
  window.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      sockets.push(new URL(url).pathname)
    }
  }
}

declare global {
  interface Window {
    sockets: readonly string[]
  }
}

it('a page that a server rendered comes alive as it is', async () => {
  const { ws } = await startServer()
  const { doc, provider } = createProvider(ws, 'notes')
  doc.getText('body').insert(0, 'was here before')
  await provider.whenSaved()
  const rendered = renderToString(createElement(App, { server: ws }))
  expect(rendered).toContain('connecting, unknown, 0: ')
  const site = await servePages({
    '/': `<!doctype html><body data-server="${ws}"><main>${rendered}</main><script type="module" src="/page.js"></script>`,
    '/page.js': await bundle('test/browser/pages/react-hydrate.tsx'),
  })
  onTestFinished(() => site.close())
  const { page, errors } = await harness.newPage()
  await page.goto(site.url)
  await expect.poll(() => page.locator('#notes').textContent()).toContain(': was here before')
  await expect.poll(() => page.locator('#synced').textContent()).toBe('was here before')
  // React says so when it had to take over; it must not have found anything else to say.
  const [first, ...more] = errors.splice(0)
  expect(first).toContain('is rendered in the browser')
  expect(more).toEqual([])
})

describe('the React hooks, under StrictMode', () => {
  it('let two people edit together, and tell who is there and what is saved', async () => {
    const { ws } = await startServer()
    const [ada, grace] = [await open(ws, 'Ada'), await open(ws, 'Grace')]
    await expect.poll(() => ada.read('status')).toBe('connected true')
    await expect.poll(() => ada.read('others')).toBe('Grace')
    await expect.poll(() => grace.read('others')).toBe('Ada')
    await ada.page.locator('textarea').fill('Hello')
    await expect.poll(() => grace.read('text')).toBe('Hello')
    await grace.page.locator('textarea').press('Control+End')
    await grace.page.keyboard.type('!')
    await expect.poll(() => ada.read('text')).toBe('Hello!')
    await expect.poll(() => ada.read('save')).toBe('saved 1')
    await expect.poll(() => grace.read('save')).toBe('saved 1')
  })

  it('tie a field that is read-only for who may only read, and no longer once they may write', async () => {
    let access: Access = 'read'
    const settings = { data: await tempDir(), authorize: () => ({ user: '', access }) }
    const { server, ws } = await startServer(settings)
    const { page, read, errors } = await open(ws, 'Ada')
    await expect.poll(() => read('status')).toBe('connected true')
    const field = page.locator('textarea')
    expect(await field.isEditable()).toBe(false)
    await field.focus()
    await page.keyboard.insertText('graffiti')
    expect(await read('text')).toBe('')
    access = 'write'
    await server.close()
    await startServer({ ...settings, port: Number(new URL(ws).port) })
    await expect.poll(() => field.isEditable()).toBe(true)
    await page.keyboard.insertText('Hello')
    await expect.poll(() => read('save')).toBe('saved 1')
    expect(await read('text')).toBe('Hello')
    for (const error of errors.splice(0)) expect(error).toMatch(/^WebSocket connection to .* failed/)
  })

  it('open one socket per document, also when all that use it go and come back', async () => {
    const { ws } = await startServer()
    const { page, read, sockets } = await open(ws, 'Ada')
    await expect.poll(() => read('status')).toBe('connected true')
    expect(await sockets()).toEqual(['/notes'])
    await page.evaluate(() => window.setShown(false))
    await page.evaluate(() => window.setShown(true))
    await expect.poll(() => read('status')).toBe('connected true')
    expect(await sockets()).toEqual(['/notes'])
  })

  it('follow a change of the name, and close what nobody uses any more', async () => {
    const { url, ws } = await startServer()
    const { page, read, sockets } = await open(ws, 'Ada')
    await expect.poll(() => read('status')).toBe('connected true')
    await page.locator('textarea').fill('first')
    await page.evaluate(() => window.setName('other'))
    await expect.poll(() => read('text')).toBe('')
    await expect.poll(() => read('status')).toBe('connected true')
    expect(await sockets()).toEqual(['/notes', '/other'])
    await expect.poll(() => metric({ url }, 'inkwire_connections')).toBe(1)
    const { text, provider } = createProvider(ws, 'notes')
    await provider.whenSynced
    expect(text.doc?.getText('body').toString()).toBe('first')
  })

  it('suspend until everything is here, if asked to', async () => {
    const { ws } = await startServer()
    const { doc, provider } = createProvider(ws, 'later')
    doc.getText('body').insert(0, 'was here before')
    await provider.whenSaved()
    const { page, read, sockets } = await open(ws, 'Ada')
    await page.evaluate(() => {
      const seen: (string | null)[] = []
      Object.assign(window, { seen })
      new MutationObserver(() => {
        const shown = document.getElementById('fallback')
          ? '…'
          : document.getElementById('later')?.textContent
        if (shown && seen.at(-1) !== shown) seen.push(shown)
      }).observe(document, { subtree: true, childList: true, characterData: true })
      window.setLater(true)
    })
    await expect.poll(() => read('later')).toBe('was here before')
    expect(await page.evaluate(() => (window as unknown as { seen: string[] }).seen)).toEqual([
      '…',
      'was here before',
    ])
    expect((await sockets()).filter((path) => path === '/later')).toHaveLength(1)
  })
})
