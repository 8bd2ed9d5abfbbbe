import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { ServerOptions } from '../../server/index.js'
import { useBrowser } from '../support/browser.js'
import { ON_DEVICE, openDemo, openWindow } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'
import { until } from '../support/until.js'

const harness = useBrowser()
const serve = (options: ServerOptions = {}) => startServer({ demo: true, ...options })

const others = (page: Page) => page.getByRole('list', { name: 'Also here' }).getByRole('listitem')
const addressOf = (page: Page) => new URL(page.url()).hash

describe('sharing', () => {
  const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] }
  const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText())
  const words = (page: Page) => page.getByRole('dialog', { name: 'Share' }).textContent()

  it('copies a link, and one for reading, which is no guard and says so', async () => {
    const { url } = await serve()
    const { page, says, field } = await openDemo(harness, url, clipboard)
    await says('Connected')
    await field.pressSequentially('read me')
    await page.getByRole('button', { name: 'Share' }).click()
    await page.getByRole('button', { name: 'Copy link', exact: true }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await copied(page)).toBe(`${url}/#/welcome`)
    expect(await page.getByRole('status').textContent()).toBe('Link copied')
    await page.getByRole('button', { name: 'Copy link for reading' }).click()
    await until('the other link is copied', async () => (await copied(page)) === `${url}/#/welcome?read`)
    expect(await words(page)).toContain('a courtesy, not a guard')

    const reader = await openDemo(harness, await copied(page))
    await reader.shows('read me')
    expect(await reader.field.isEditable()).toBe(false)
    expect(await reader.page.getByText('Read only', { exact: true }).isVisible()).toBe(true)
  })

  it('of a server that asks for tokens takes them from behind the #, and the server guards', async () => {
    const asked: (string | undefined)[] = []
    const { server, url } = await serve({
      authorize: ({ token }) => {
        asked.push(token ?? '')
        if (token === 'reader') return { user: 'r', access: 'read' }
        if (token === 'writer') return { user: 'w', access: 'write' }
        return { refused: 'unauthenticated', reason: 'no token' }
      },
    })
    const a = await openDemo(harness, `${url}/#/secret?token=writer`)
    await a.says('Connected')
    // The list keeps the token, and the address bar doesn't show it.
    expect(addressOf(a.page)).toBe('#/secret')
    await a.field.pressSequentially('for few')
    await a.safe()
    await a.page.reload()
    await a.shows('for few')
    await a.page.getByRole('button', { name: 'Share' }).click()
    expect(await a.page.getByRole('textbox', { name: 'Link', exact: true }).inputValue()).toBe(
      `${url}/#/secret?token=writer`,
    )
    expect(await words(a.page)).toContain('It carries the token that you came with')
    const guests = a.page.getByRole('textbox', { name: 'Link for reading' })
    expect(await guests.inputValue()).toBe(`${url}/#/secret?read`)

    const reader = await openDemo(harness, `${url}/#/secret?token=reader`)
    await reader.shows('for few')
    expect(await reader.field.isEditable()).toBe(false)
    expect(await reader.page.locator('#detail').textContent()).toContain('You can read along')
    const stranger = await openDemo(harness, `${url}/#/secret`)
    await stranger.says('Not signed in')
    expect(new Set(asked)).toEqual(new Set(['writer', 'reader', '']))
    await server.close()
    for (const each of [a, reader]) {
      await each.page.close()
      each.forgiveOutage()
    }
  })
})

describe('the list of documents', () => {
  const entries = (page: Page) => page.getByRole('navigation', { name: 'Documents' }).getByRole('listitem')
  const titles = (page: Page) => page.locator('.entry-title').allTextContents()

  it('has what this browser opened, and lets it be named, pinned and removed', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, url, { viewport: { width: 1200, height: 700 } })
    await a.says('Connected')
    await a.create('plain')
    const name = addressOf(a.page).slice(2)
    await until('both are there', async () => (await titles(a.page)).join() === `${name},welcome`)
    await entries(a.page).nth(1).getByRole('link').click()
    await until('welcome is first', async () => (await titles(a.page)).join() === `welcome,${name}`)
    expect(await a.page.getByRole('status').textContent()).toBe('welcome is shown')
    expect(await entries(a.page).first().getByRole('link').getAttribute('aria-current')).toBe('page')

    await a.page.getByRole('button', { name: `Options for ${name}` }).click()
    await a.page.getByRole('textbox', { name: 'Name in this list' }).fill('Groceries')
    await a.page.getByRole('button', { name: 'Pin to the top' }).click()
    await a.page.getByRole('button', { name: 'Unpin' }).waitFor()
    await a.page.keyboard.press('Escape')
    expect(await titles(a.page)).toEqual(['Groceries', 'welcome'])
    await a.page.reload()
    await a.says('Connected')
    expect(await titles(a.page)).toEqual(['Groceries', 'welcome'])

    await a.page.getByRole('button', { name: 'Options for welcome' }).click()
    await a.page.getByRole('button', { name: 'Remove from the list' }).click()
    await until('it is gone', async () => (await titles(a.page)).join() === 'Groceries')
    expect(await a.page.getByRole('status').textContent()).toBe('Removed from the list')
    await entries(a.page).getByRole('link').click()
    await a.page.getByRole('heading', { name: 'Groceries' }).waitFor()
    expect(addressOf(a.page)).toBe(`#/${name}`)
  })

  it('has what is removed while edits wait until they are sent, and says so', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, `${url}/#/kept`, { viewport: { width: 1100, height: 700 } })
    await a.says('Connected')
    const offline = a.page.getByRole('switch', { name: 'Work offline' })
    const options = a.page.getByRole('button', { name: 'Options for kept' })
    const panel = a.page.getByRole('dialog', { name: 'Options' })
    await options.click()
    await panel.getByText('This browser’s copy goes with it.').waitFor()
    await a.page.keyboard.press('Escape')

    await offline.click()
    await a.field.pressSequentially('not sent')
    await a.page.locator('#detail', { hasText: 'only in this browser' }).waitFor()
    await options.click()
    await panel.getByText('Its unsent edits stay until they are sent.').waitFor()
    await a.page.getByRole('button', { name: 'Remove from the list' }).click()
    await a.page.getByText('Plain text · goes once its edits are sent').waitFor()
    expect(await a.page.evaluate(keptDocuments)).toContain('kept')
    await a.create('plain')
    await offline.click()
    await until('it is gone', async () => !(await titles(a.page)).includes('kept'))
    const b = await openDemo(harness, `${url}/#/kept`)
    await b.shows('not sent')
    await until('the copy is gone', async () => !(await a.page.evaluate(keptDocuments)).includes('kept'))
  })

  it('does not get back what was removed while it was shown, only because it is sent', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, `${url}/#/kept`, { viewport: { width: 1100, height: 700 } })
    await a.says('Connected')
    const offline = a.page.getByRole('switch', { name: 'Work offline' })
    await offline.click()
    await a.field.pressSequentially('not sent')
    await a.page.locator('#detail', { hasText: 'only in this browser' }).waitFor()
    await a.page.reload()
    await a.shows('not sent')
    await a.page.getByRole('button', { name: 'Options for kept' }).click()
    await a.page.getByRole('button', { name: 'Remove from the list' }).click()
    await a.page.getByText('Plain text · goes once its edits are sent').waitFor()
    await offline.click()
    await a.safe()
    await until('it is gone', async () => (await titles(a.page)).length === 0)
  })

  it('has what is removed while another window’s edits wait until that one has sent them, and says so', async () => {
    const { url } = await serve()
    const wide = { viewport: { width: 1100, height: 700 } }
    const a = await openDemo(harness, `${url}/#/kept`, wide)
    await a.says('Connected')
    const b = await openWindow(harness, `${url}/#/another`, a.page.context())
    await b.says('Connected')
    const offline = a.page.getByRole('switch', { name: 'Work offline' })
    await offline.click()
    await a.field.pressSequentially('not sent')
    await a.page.locator('#detail', { hasText: 'only in this browser' }).waitFor()

    await b.page.getByRole('button', { name: 'Options for kept' }).click()
    const panel = b.page.getByRole('dialog', { name: 'Options' })
    await panel.getByText('Its unsent edits stay until they are sent.').waitFor()
    await panel.getByRole('button', { name: 'Remove from the list' }).click()
    await b.page.getByText('Plain text · goes once its edits are sent').waitFor()
    await a.page.getByText('Plain text · goes once its edits are sent').waitFor()
    expect(await b.page.getByRole('status').textContent()).toBe('Goes once its edits are sent')
    expect(await b.page.evaluate(keptDocuments)).toContain('kept')

    await offline.click()
    for (const { page } of [a, b])
      await until('it is gone', async () => (await titles(page)).join() === 'another')
    await until('the copy is gone', async () => !(await b.page.evaluate(keptDocuments)).includes('kept'))
    const c = await openDemo(harness, `${url}/#/kept`)
    await c.shows('not sent')
  })

  it('is nobody else’s: another browser sees what it opened itself, and another window the same', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, `${url}/#/private-name`)
    await a.says('Connected')
    const b = await openDemo(harness, url)
    await b.says('Connected')
    expect(await titles(b.page)).toEqual(['welcome'])
    const second = await openWindow(harness, `${url}/#/another`, a.page.context())
    await second.says('Connected')
    await until('the first window has it', async () => (await titles(a.page)).includes('another'))
  })
})

describe('the offline switch', () => {
  it('keeps edits here, says so, and sends them when it is turned back', async () => {
    const { url } = await serve()
    const [a, b] = [await openDemo(harness, url), await openDemo(harness, url)]
    await Promise.all([a.says('Connected'), b.says('Connected')])
    const offline = a.page.getByRole('switch', { name: 'Work offline' })
    await offline.click()
    await a.says('Working offline')
    expect(await offline.getAttribute('aria-checked')).toBe('true')
    await until('others see that one is away', async () => (await others(b.page).count()) === 0)
    await a.field.pressSequentially('alone ')
    await b.field.pressSequentially('also alone')
    await b.safe()
    expect(await a.claim()).toBe(ON_DEVICE)
    expect(await a.page.locator('#detail').textContent()).toContain('only in this browser')
    // A document that is opened meanwhile stays offline, too.
    await a.create('plain')
    await a.says('Working offline')
    await a.page.goBack()
    await a.shows('alone ')

    await offline.click()
    await a.says('Connected')
    await a.safe()
    await until('both have both', async () => {
      const [left, right] = [await a.field.inputValue(), await b.field.inputValue()]
      return left === right && left.length === 'alone also alone'.length
    })
  })

  it('stays as it is when the page is loaded anew, and holds back what it held back', async () => {
    const { url } = await serve()
    const [a, b] = [await openDemo(harness, url), await openDemo(harness, url)]
    await Promise.all([a.says('Connected'), b.says('Connected')])
    const offline = a.page.getByRole('switch', { name: 'Work offline' })
    await offline.click()
    await a.field.pressSequentially('held back')
    await a.page.locator('#detail', { hasText: 'only in this browser' }).waitFor()
    await a.page.reload()
    await a.says('Working offline')
    expect(await offline.getAttribute('aria-checked')).toBe('true')
    await a.shows('held back')
    expect(await a.claim()).toBe(ON_DEVICE)
    await b.field.pressSequentially('x')
    await b.safe()
    expect(await b.field.inputValue()).toBe('x')

    await offline.click()
    await a.safe()
    await until('it was sent', async () => (await b.field.inputValue()).includes('held back'))
    await a.page.reload()
    await a.says('Connected')
    expect(await offline.getAttribute('aria-checked')).toBe('false')
  })
})

/** Runs in the page: the documents that the browser keeps, as one text. */
const keptDocuments = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open('inkwire')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const keys = opening.result.transaction('documents').objectStore('documents').getAllKeys()
      keys.onsuccess = () => {
        opening.result.close()
        resolve(JSON.stringify(keys.result))
      }
    }
  })
