import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import type { ServerOptions } from '../../server/index.js'
import { useBrowser } from '../support/browser.js'
import { ON_DEVICE, openDemo, openWindow, PHONE } from '../support/demo.js'
import { serveProcess, startServer } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const harness = useBrowser()
const serve = (options: ServerOptions = {}) => startServer({ demo: true, ...options })

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
const others = (page: Page) => page.getByRole('list', { name: 'Also here' }).getByRole('listitem')
const addressOf = (page: Page) => new URL(page.url()).hash

describe('a document and its address', () => {
  it('is "welcome" at the bare address, which then names it', async () => {
    const { url } = await serve()
    const [a, b] = [await openDemo(harness, url), await openDemo(harness, url)]
    expect(addressOf(a.page)).toBe('#/welcome')
    expect(await heading(a.page).textContent()).toBe('welcome')
    expect(await a.page.title()).toBe('welcome – Inkwire')
    await a.field.pressSequentially('shared')
    await b.shows('shared')
  })

  it('may be any Unicode with slashes, below any path prefix', async () => {
    const { url } = await serve({ pathPrefix: '/docs' })
    const a = await openDemo(harness, `${url}/#/notes/caf%C3%A9%20%F0%9F%A6%8A`)
    await a.says('Connected')
    expect(await heading(a.page).textContent()).toBe('notes/café 🦊')
    await a.field.pressSequentially('prefixed')
    await a.safe()
    const b = await openDemo(harness, `${url}/#/notes/café 🦊`)
    await b.shows('prefixed')
  })

  it('is new and empty after "New plain text", and the way back leads back', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, url)
    await a.field.pressSequentially('first')
    await a.create('plain')
    await a.shows('')
    expect(addressOf(a.page)).toMatch(/^#\/[a-z]+-[a-z]+-[a-z2-9]{4}$/)
    expect(await heading(a.page).textContent()).toBe(addressOf(a.page).slice(2))
    await a.page.keyboard.type('second')
    await a.safe()
    const b = await openDemo(harness, a.page.url())
    await b.shows('second')
    await a.page.goBack()
    await a.shows('first')
  })

  it.each([
    ['too long', 'x'.repeat(1025)],
    ['a relative path', '..'],
  ])('that no document can have says so and takes no text: %s', async (_why, name) => {
    const { url } = await serve()
    const a = await openDemo(harness, `${url}/#/${name}`)
    await a.says('No such document')
    expect(await a.field.isEditable()).toBe(false)
    expect(await a.claims()).toEqual([])
    await a.create('plain')
    await a.says('Connected')
    await a.page.keyboard.type('fine')
    await a.safe()
  })
})

describe('who is here', () => {
  it('shows a name that was just changed, and remembers it', async () => {
    const { url } = await serve()
    const [a, b] = [await openDemo(harness, url), await openDemo(harness, url)]
    await others(a.page).first().waitFor()
    await a.page.getByRole('button', { name: 'Change your name' }).click()
    const field = a.page.getByRole('textbox', { name: 'Your name' })
    await field.fill('  Tove   Ditlevsen ')
    await others(b.page)
      .filter({ hasText: /^Tove Ditlevsen$/ })
      .waitFor()
    await field.press('Enter')
    expect(await field.isVisible()).toBe(false)
    expect(await a.page.getByRole('button', { name: '(you)' }).evaluate(isActive)).toBe(true)
    await a.page.reload()
    await a.page.getByRole('button', { name: 'Tove Ditlevsen (you)' }).waitFor()
  })

  it('takes two windows of one browser for two people, each with a colour of its own', async () => {
    const { url } = await serve()
    const context = await newContext(harness.browser)
    // The same colour to begin with, as chance may have it.
    await context.addInitScript(() => sessionStorage.setItem('inkwire.color', '#a74449'))
    const pages = [(await harness.newPage(context)).page, (await harness.newPage(context)).page]
    for (const page of pages) await page.goto(url)
    const seen = await Promise.all(
      pages.map(async (page) => {
        await others(page).first().waitFor()
        const own = await page.getByRole('button', { name: '(you)' }).textContent()
        return { own, other: await others(page).first().textContent() }
      }),
    )
    expect(seen[0]?.own).toBe(seen[1]?.other)
    expect(seen[1]?.own).toBe(seen[0]?.other)
    await until('their colours differ in both windows', async () => {
      const colors = await Promise.all(pages.map((page) => page.evaluate(avatarColors)))
      return colors.every(([first, second]) => first && second && first !== second)
    })
  })

  it('forgets who closes the window', async () => {
    const { url } = await serve()
    const [a, b] = [await openDemo(harness, url), await openDemo(harness, url)]
    await others(a.page).first().waitFor()
    await b.page.close()
    await others(a.page).first().waitFor({ state: 'detached' })
  })

  it('believes nothing that could break the page', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, url)
    const b = await openDemo(harness, url, { name: `<img src=x onerror=alert(1)>${'x'.repeat(500)}` })
    await b.says('Connected')
    await others(a.page).filter({ hasText: '<img src=x onerror=alert(1)>xxxxxxxxxxxx' }).waitFor()
    expect(await a.page.locator('img').count(), 'ours').toBe(1)
  })
})

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
    expect(await titles(a.page)).toEqual(['Groceries'])
    await entries(a.page).getByRole('link').click()
    await a.page.getByRole('heading', { name: 'Groceries' }).waitFor()
    expect(addressOf(a.page)).toBe(`#/${name}`)
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
})

describe('edits that are not safe', () => {
  it('are sent from a document that is no longer shown', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    const a = await openDemo(harness, server.url)
    await a.safe()
    server.child.kill('SIGKILL')
    await a.says('Server not reachable')
    await a.field.pressSequentially('kept')
    await a.create('plain')
    await a.shows('')
    const elsewhere = a.page.locator('#detail', { hasText: '4 edits to other documents' })
    await elsewhere.waitFor()

    const again = await serveProcess(data, { port: server.port })
    await a.says('Connected')
    await elsewhere.waitFor({ state: 'detached' })
    const b = await openDemo(harness, again.url)
    await b.shows('kept')
    await a.page.goBack()
    await a.shows('kept')
    for (const { page } of [a, b]) await page.close()
    a.forgiveOutage()
  })

  it('make the browser ask before the window closes, where it keeps nothing itself, and only they', async () => {
    const server = await serveProcess(await tempDir())
    const a = await openDemo(harness, server.url, { keepsNothing: true })
    const asked: string[] = []
    a.page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      void dialog.accept()
    })
    await a.field.pressSequentially('safe')
    await a.safe()
    await a.page.reload()
    await a.safe()
    expect(asked).toEqual([])

    server.child.kill('SIGKILL')
    await a.says('Server not reachable')
    await a.field.pressSequentially('not safe')
    expect(await a.claim()).toBe(ON_DEVICE)
    expect(await a.page.locator('#detail').textContent()).toContain('Leave it open')
    await a.page.close({ runBeforeUnload: true })
    await until('the browser asked', () => asked.length > 0)
    expect(asked).toEqual(['beforeunload'])
    a.forgiveOutage()
  })

  it('are kept by the browser, and sent when it opens the page again, whichever document that shows', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, `${url}/#/left`)
    await a.says('Connected')
    await a.page.getByRole('switch', { name: 'Work offline' }).click()
    await a.field.pressSequentially('typed alone')
    await a.page.locator('#detail', { hasText: 'only in this browser' }).waitFor()
    const { page } = await harness.newPage(a.page.context())
    await until('the window closes, since the browser has it all', async () => {
      if (!a.page.isClosed()) await a.page.close({ runBeforeUnload: true })
      return a.page.isClosed()
    })

    await page.goto(`${url}/#/another`)
    await page.getByText('Connected').waitFor()
    const b = await openDemo(harness, `${url}/#/left`)
    await b.shows('typed alone')
    await others(b.page).first().waitFor({ state: 'detached' })
  })

  it('that the server refuses, since it has another history, can be given up for what it has', async () => {
    const { server, url } = await serve()
    const a = await openDemo(harness, url)
    await a.field.pressSequentially('old')
    await a.safe()
    const other = new Y.Doc()
    other.getText('text').insert(0, 'another')
    await server.documents.replace('welcome', Y.encodeStateAsUpdate(other))
    await a.says('The document was replaced')
    expect(await a.field.inputValue()).toBe('old')
    await a.page.getByRole('button', { name: 'Take the server’s' }).click()
    await a.shows('another')
    await a.field.press('End')
    await a.field.pressSequentially(' one')
    await a.safe()
  })
})

describe('the page', () => {
  it('loads nothing from elsewhere and breaks none of its content security policy', async () => {
    const { url } = await serve()
    const context = await newContext(harness.browser)
    const { page } = await harness.newPage(context)
    const requested: string[] = []
    page.on('request', (request) => requested.push(request.url()))
    const response = await page.goto(url)
    expect(response?.headers()['content-security-policy']).toContain("default-src 'self'")
    await page.getByText('Connected').waitFor()
    expect(requested.filter((address) => !address.startsWith(url))).toEqual([])
    // The harness fails the test for what the browser logs about the policy.
  })

  it('is small: what everybody loads, and what rich texts need beyond it', async () => {
    const folder = fileURLToPath(new URL('../../dist/demo/assets/', import.meta.url))
    const size = { first: 0, later: 0 }
    for (const name of await readdir(folder)) {
      const { length } = gzipSync(await readFile(join(folder, name)), { level: 9 })
      size[/^(index|icon)-/.test(name) ? 'first' : 'later'] += length
    }
    console.log(`the demo, gzipped: ${size.first} bytes at first, ${size.later} when they are needed`)
    expect(size.first).toBeLessThanOrEqual(56 * 1024)
    expect(size.later).toBeLessThanOrEqual(84 * 1024)
  })

  it.each([
    ['light', 'rgb(255, 255, 255)'],
    ['dark', 'rgb(26, 30, 39)'],
  ] as const)('is %s where the system is', async (colorScheme, paper) => {
    const { url } = await serve()
    const { field } = await openDemo(harness, url, { colorScheme })
    expect(await field.evaluate((node) => getComputedStyle(node).backgroundColor)).toBe(paper)
  })

  it('fits a phone, with buttons that have names and room for a thumb', async () => {
    const { url } = await serve()
    const { page } = await openDemo(harness, `${url}/#/${'a-long-name-'.repeat(9)}`, PHONE)
    for (let count = 0; count < 4; count++) await openDemo(harness, page.url())
    await others(page).filter({ hasText: 'and 3 more' }).waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    for (const name of ['Documents', '(you)', 'Share', 'Work offline']) {
      const button = page.getByRole('button', { name }).or(page.getByRole('switch', { name }))
      const box = await button.boundingBox()
      expect([(box?.x ?? 0) + (box?.width ?? 0) <= 360, (box?.height ?? 0) >= 40]).toEqual([true, true])
    }
    await page.getByRole('button', { name: '(you)' }).tap()
    const panel = await page.getByRole('dialog').boundingBox()
    expect([(panel?.x ?? -1) >= 0, (panel?.x ?? 0) + (panel?.width ?? 0) <= 360]).toEqual([true, true])
  })

  it('can be used by keyboard alone', async () => {
    const { url } = await serve()
    const { page, field, says } = await openDemo(harness, url)
    await says('Connected')
    const press = (key: string) => page.keyboard.press(key)
    const isOn = (name: string) => page.getByRole('button', { name }).evaluate(isActive)
    await press('Tab')
    expect(await isOn('Skip to the text')).toBe(true)
    await press('Enter')
    expect(await field.evaluate(isActive)).toBe(true)
    for (const name of ['Share', '(you)', 'Documents']) {
      await press('Shift+Tab')
      expect(await isOn(name), name).toBe(true)
    }
    await press('Enter')
    await press('Tab')
    expect(await isOn('New plain text'), 'the list is next').toBe(true)
    await press('Escape')
    expect(await isOn('Documents')).toBe(true)
    await press('Tab')
    await press('Enter')
    const name = page.getByRole('textbox', { name: 'Your name' })
    await until('the focus is in the panel', () => name.evaluate(isActive))
    await press('Escape')
    expect(await isOn('(you)')).toBe(true)
    for (let stop = 0; stop < 2; stop++) await press('Tab')
    expect(await field.evaluate(isActive)).toBe(true)
    await press('Tab')
    expect(await page.getByRole('switch', { name: 'Work offline' }).evaluate(isActive)).toBe(true)
  })

  it('says only what matters to a screen reader: trouble, and its end', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    const a = await openDemo(harness, server.url)
    const spoken = a.page.getByRole('status')
    await a.field.pressSequentially('quiet')
    await a.safe()
    expect(await spoken.textContent()).toBe('')
    server.child.kill('SIGKILL')
    await spoken.filter({ hasText: 'Server not reachable. You can type on' }).waitFor({ state: 'attached' })
    await serveProcess(data, { port: server.port })
    await spoken.filter({ hasText: 'Connected. Safe on the server’s disk.' }).waitFor({ state: 'attached' })
    await a.page.close()
    a.forgiveOutage()
  })
})

const newContext = async (browser: Browser) => {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  return context
}

/** Runs in the page. */
const avatarColors = () =>
  ['#others .avatar', '#me .avatar'].map((selector) => {
    const avatar = document.querySelector(selector)
    return avatar ? getComputedStyle(avatar).backgroundColor : null
  })

/** Runs in the page. */
const isActive = (node: Element) => document.activeElement === node
