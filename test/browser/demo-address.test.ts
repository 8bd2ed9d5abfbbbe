import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { useBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'
import { until } from '../support/until.js'

const harness = useBrowser()

const hashOf = (page: Page) => new URL(page.url()).hash
const go = (page: Page, hash: string) =>
  page.evaluate((next) => {
    location.hash = next
  }, hash)

describe('another address of the document that is shown', () => {
  it.each([
    ['#/minutes', '#/minutes?rich', true],
    ['#/minutes?read', '#/minutes?rich&read', false],
    ['#/minutes?rich?read', '#/minutes?rich?read', false],
  ])('%s shows the same rich text', async (hash, corrected, editable) => {
    const { url } = await startServer({ demo: true })
    const a = await openDemo(harness, `${url}/#/minutes?rich`, { viewport: { width: 1100, height: 700 } })
    await a.rich.focus()
    await a.page.keyboard.type('written')
    await a.safe()
    await go(a.page, hash)
    await until('the address is right', () => hashOf(a.page) === corrected)
    await a.showsRich('p written')
    expect(await a.field.isVisible(), 'a plain text').toBe(false)
    expect(await a.rich.getAttribute('contenteditable')).toBe(String(editable))
    expect(await a.page.locator('.entry-about').first().textContent()).toBe(
      editable ? 'Rich text · open now' : 'Rich text · read only · open now',
    )
  })

  it('shows a text that is typed elsewhere as what it is, also while this window is offline', async () => {
    const { url } = await startServer({ demo: true })
    const plain = await openDemo(harness, `${url}/#/new`)
    await plain.says('Connected')
    const rich = await openDemo(harness, `${url}/#/new?rich`)
    await rich.rich.waitFor()
    await rich.says('Connected')
    await rich.rich.focus()
    await rich.page.keyboard.type('rich')
    await plain.showsRich('p rich')
    expect(hashOf(plain.page)).toBe('#/new?rich')

    await plain.page.getByRole('switch', { name: 'Work offline' }).click()
    await go(plain.page, '#/new')
    await until('the address is right', () => hashOf(plain.page) === '#/new?rich')
    await plain.showsRich('p rich')
  })
})

describe('a token in the address', () => {
  const authorize = ({ token }: { readonly token: string | null }) =>
    token === 'good'
      ? ({ user: 'w', access: 'write' } as const)
      : ({ refused: 'unauthenticated', reason: 'no token' } as const)

  it('is taken out when the server refuses it, too, and a better one is tried', async () => {
    const { url } = await startServer({ demo: true, authorize })
    const { page, says } = await openDemo(harness, `${url}/#/secret?token=bad`)
    await says('Not signed in')
    expect(hashOf(page)).toBe('#/secret')
    await go(page, '#/secret?rich&token=good')
    await says('Connected')
    expect(hashOf(page)).toBe('#/secret?rich')
  })
})
