import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import type { InkwireProvider } from '../../client/index.js'
import { bundle, servePages, useBrowser } from '../support/browser.js'
import { metric, startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { until } from '../support/until.js'

declare global {
  interface Window {
    providers: InkwireProvider[]
    openDocument: (name: string) => InkwireProvider
  }
}

const harness = useBrowser()

const open = async () => {
  const started = await startServer()
  const site = await servePages({
    '/': '<script type="module" src="page.js"></script>',
    '/page.js': await bundle('test/browser/pages/shared.ts'),
  })
  onTestFinished(() => site.close())
  const { page, errors } = await harness.newPage()
  const sockets: string[] = []
  page.on('websocket', (socket) => void sockets.push(socket.url()))
  await page.goto(`${site.url}#${started.ws}`)
  await page.evaluate(() => Promise.all(window.providers.map(({ whenSynced }) => whenSynced)))
  return { ...started, page, errors, sockets }
}

const allSynced = (page: Page): Promise<boolean> =>
  page.evaluate(() => window.providers.every(({ synced }) => synced))

it('X11: 30 documents of a page need one WebSocket, also of one that mounts twice', async () => {
  const { page, ws, url, sockets } = await open()
  expect(sockets).toEqual([`${ws}/`])
  const other = createProvider(ws, 'doc/7')
  await other.provider.whenSynced
  await page.evaluate(() => {
    for (const { doc } of window.providers) doc.getText('t').insert(0, 'typed in a page')
    return Promise.all(window.providers.map((provider) => provider.whenSaved()))
  })
  expect(other.text.toString()).toBe('typed in a page')
  other.text.insert(0, 'answered ')
  await until('the page has it', () =>
    page.evaluate(() => window.providers[7]?.doc.getText('t').toString() === 'answered typed in a page'),
  )
  await page.evaluate(() => {
    for (const provider of window.providers) provider.destroy()
    window.providers = [window.openDocument('a'), window.openDocument('b')]
    for (const provider of window.providers) provider.destroy()
    window.providers = [window.openDocument('a'), window.openDocument('b')]
    return Promise.all(window.providers.map(({ whenSynced }) => whenSynced))
  })
  expect(sockets.length).toBe(1)
  await page.evaluate(() => {
    for (const provider of window.providers) provider.destroy()
  })
  await until('the socket is closed', async () => (await metric({ url }, 'inkwire_connections')) === 1)
})

it('in the back/forward cache a page has no socket; back again, it has one', async () => {
  const { page, url, sockets } = await open()
  // This build of Chromium keeps no page in its back/forward cache: it is told by hand.
  const transition = (type: string): Promise<boolean> =>
    page.evaluate((type) => dispatchEvent(new PageTransitionEvent(type, { persisted: true })), type)
  await transition('pagehide')
  await until('nobody is there', async () => (await metric({ url }, 'inkwire_connections')) === 0)
  await transition('pageshow')
  await until('all are back', () => allSynced(page))
  expect(sockets.length).toBe(2)
})

it('a server that is away for a while is dialled for all together, and all come back', async () => {
  const { page, url, data, server, sockets, errors } = await open()
  await server.close()
  await until('that has been noticed and tried', () =>
    page.evaluate(() =>
      window.providers.every(({ connection: { name, failures } }) => name !== 'live' && failures > 2),
    ),
  )
  // A document's own socket is tried as well: the server may be one that can't share.
  expect(sockets.length).toBeLessThan(20)
  await startServer({ data, port: Number(new URL(url).port) })
  await until('all are back', () => allSynced(page))
  expect(errors.every((error) => error.includes('WebSocket'))).toBe(true)
  errors.length = 0
})
