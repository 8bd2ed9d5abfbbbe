import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ServerOptions } from '../../server/index.js'
import { useBrowser } from '../support/browser.js'
import { openDemo, PHONE } from '../support/demo.js'
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
    expect(await a.page.locator('#detail').textContent()).toBe(
      name === '..'
        ? 'No document can have this name.'
        : 'The document name has 1025 bytes, 1024 are allowed.',
    )
    expect(await a.page.getByRole('button', { name: 'Share' }).isVisible()).toBe(false)
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

  it.each([
    ['a desk', { viewport: { width: 1100, height: 700 } }],
    ['a phone', PHONE],
  ])('opens by its button, on %s', async (_where, window) => {
    const { url } = await serve()
    const { page } = await openDemo(harness, url, window)
    const button = page.getByRole('button', { name: '(you)' })
    await button.click()
    const panel = page.getByRole('dialog', { name: 'People' })
    await until('the panel is below the button, and in the window', async () => {
      const [by, box] = [await button.boundingBox(), await panel.boundingBox()]
      if (!by || !box) return false
      const below = box.y - (by.y + by.height)
      const inside = box.x >= 0 && box.x + box.width <= (window.viewport?.width ?? 0)
      return below > 0 && below < 10 && inside && box.x < by.x && box.x + box.width >= by.x + by.width
    })
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

  it('gives bad news the whole width of a phone, and the text most of its height', async () => {
    const server = await serveProcess(await tempDir())
    const { page, says, forgiveOutage } = await openDemo(harness, server.url, PHONE)
    await says('Connected')
    expect(await page.getByText('Your edits', { exact: true }).isVisible()).toBe(true)
    server.child.kill('SIGKILL')
    await says('Server not reachable')
    const height = async (selector: string) => (await page.locator(selector).boundingBox())?.height ?? 0
    expect((await page.locator('#connection').boundingBox())?.width).toBeGreaterThan(320)
    expect(await page.locator('#detail').evaluate((node) => node.getClientRects().length)).toBe(2)
    expect(await height('footer')).toBeLessThan(0.24 * 640)
    await page.close()
    forgiveOutage()
  })

  it('gives a title at least half of a phone, beside all that stands there', async () => {
    const { url } = await serve()
    const { page } = await openDemo(harness, `${url}/#/meeting-notes-of-the-board?read`, PHONE)
    for (let count = 0; count < 3; count++) await openDemo(harness, page.url())
    await others(page).filter({ hasText: 'and 2 more' }).waitFor()
    expect(await page.getByText('Read only', { exact: true }).isVisible()).toBe(true)
    expect((await page.locator('.title').boundingBox())?.width).toBeGreaterThanOrEqual(180)
  })

  it('speaks of edits to nobody who only reads', async () => {
    const { url } = await serve()
    const { page, says } = await openDemo(harness, `${url}/#/welcome?read`)
    await says('Connected')
    expect(await page.getByRole('list', { name: 'Where your edits are' }).isVisible()).toBe(false)
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
