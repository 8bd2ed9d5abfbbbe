import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import type { Text } from 'yjs'
import type { InkwireProvider } from '../../client/index.js'
import { bundle, servePages, useBrowser } from '../support/browser.js'
import { startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { until } from '../support/until.js'

declare global {
  interface Window {
    provider: InkwireProvider
    text: Text
  }
}

const harness = useBrowser()

const open = async () => {
  const { ws } = await startServer()
  const site = await servePages({
    '/': '<script type="module" src="page.js"></script>',
    '/page.js': await bundle('test/browser/pages/provider.ts'),
  })
  onTestFinished(() => site.close())
  const { page, errors } = await harness.newPage()
  await page.goto(`${site.url}#${ws}`)
  await page.evaluate(() => window.provider.whenSynced)
  const other = createProvider(ws, 'doc')
  await other.provider.whenSynced
  const seesPage = (): boolean =>
    [...other.provider.awareness.getStates().values()].some(({ user }) => user?.name === 'Ada')
  await until('the page is seen', seesPage)
  return { page, errors, other, seesPage }
}

const connection = (page: Page): Promise<string> => page.evaluate(() => window.provider.connection.name)

// This build of Chromium keeps no page in its back/forward cache (reason: masked): a page that is kept is told by hand.
it('a page in the back/forward cache is gone for the others, and back with its presence and what it missed', async () => {
  const { page, other, seesPage } = await open()
  const transition = (type: string): Promise<string> =>
    page.evaluate((type) => {
      dispatchEvent(new PageTransitionEvent(type, { persisted: true }))
      return window.provider.connection.name
    }, type)
  await page.evaluate(() => window.text.insert(0, 'before '))
  expect(await transition('pagehide')).toBe('backingOff')
  await until('the page is gone', () => !seesPage())
  await until('what it said last has arrived', () => other.text.toString() === 'before ')
  other.text.insert(other.text.length, 'meanwhile ')
  await other.provider.whenSaved()
  expect(await transition('pageshow')).not.toBe('backingOff')
  await until('it is live', async () => (await connection(page)) === 'live')
  await until('the page is seen again', seesPage)
  expect(await page.evaluate(() => window.text.toString())).toBe('before meanwhile ')
  await page.evaluate(() => window.text.insert(0, 'after '))
  await until('the other has it', () => other.text.toString().startsWith('after '))
})

it('a page that is online again connects at once', async () => {
  const { page, errors } = await open()
  await page.context().setOffline(true)
  // Devtools cut no connections that are there.
  await page.evaluate(() => window.provider.ws?.close())
  await until('it fails to connect', () =>
    page.evaluate(
      () => window.provider.connection.name === 'backingOff' && window.provider.connection.failures > 4,
    ),
  )
  const offlineSince = Date.now()
  await page.context().setOffline(false)
  await until('it is live', async () => (await connection(page)) === 'live')
  expect(Date.now() - offlineSince).toBeLessThan(10_000)
  expect(errors.every((error) => error.includes('WebSocket'))).toBe(true)
  errors.length = 0
})

it('the browser asks before it leaves edits that are not saved, and not otherwise', async () => {
  const { page } = await open()
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type())
    void dialog.dismiss()
  })
  // Browsers ask only where the user has done something.
  await page.mouse.click(10, 10)
  await page.evaluate(() => window.text.insert(0, 'saved '))
  await page.evaluate(() => window.provider.whenSaved())
  await page.reload()
  expect(dialogs).toEqual([])
  await page.evaluate(() => window.provider.whenSynced)
  await page.mouse.click(10, 10)
  await page.evaluate(() => {
    window.provider.disconnect()
    window.text.insert(0, 'not saved ')
  })
  await page.close({ runBeforeUnload: true })
  await until('it asks', () => dialogs.length > 0)
  expect(dialogs).toEqual(['beforeunload'])
  expect(await page.evaluate(() => window.text.toString())).toBe('not saved saved ')
})
