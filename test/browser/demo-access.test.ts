/** The demo as axe sees it: everything that a reader can open, light and dark, on a desk and on a phone. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults, Result } from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { useBrowser } from '../support/browser.js'
import { type DemoPage, openDemo, PHONE } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'

const harness = useBrowser()
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const DESK = { viewport: { width: 1200, height: 720 } }
const SIGHTS = [
  ['light', 'desk', DESK],
  ['dark', 'desk', DESK],
  ['light', 'phone', PHONE],
  ['dark', 'phone', PHONE],
] as const

/** What axe finds, in a line each; of any weight. */
const faultsOf = async (page: Page, where: string): Promise<string[]> => {
  const { violations } = (await page.evaluate(
    'axe.run(document, { resultTypes: ["violations"] })',
  )) as AxeResults
  return violations.map(({ id, impact, nodes }: Result) => {
    const places = nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary}`)
    return `${where}: ${impact} ${id}: ${places.join('; ')}`
  })
}

/** Everything that can be open, and how to open it. Each puts away what it has opened. */
const VIEWS: Readonly<Record<string, (demo: DemoPage, look: () => Promise<void>) => Promise<void>>> = {
  'the list': async ({ page, openList }, look) => {
    await openList()
    await look()
    await page.getByRole('button', { name: 'Options for' }).first().click()
    await look()
    for (let open = 0; open < 2; open++) await page.keyboard.press('Escape')
  },
  'the panel for a link': async ({ page, rich }, look) => {
    await rich.focus()
    await page.keyboard.press('Control+k')
    await look()
    await page.keyboard.press('Escape')
  },
  people: ({ page }, look) => panel(page, '(you)', look),
  sharing: ({ page }, look) => panel(page, 'Share', look),
  'a window that is offline': async ({ page, says }, look) => {
    await page.getByRole('switch', { name: 'Work offline' }).click()
    await says('Working offline')
    await look()
    await page.getByRole('switch', { name: 'Work offline' }).click()
    await says('Connected')
  },
}

const panel = async (page: Page, button: string, look: () => Promise<void>): Promise<void> => {
  await page.getByRole('button', { name: button }).click()
  await look()
  await page.keyboard.press('Escape')
}

describe('axe finds nothing', () => {
  it.each(SIGHTS)('%s, on a %s', async (colorScheme, _where, options) => {
    const { url } = await startServer({ demo: true })
    const other = await openDemo(harness, `${url}/#/minutes?rich`, { name: 'Grace Hopper' })
    await other.rich.focus()
    await other.page.keyboard.type('# Title\nText with `\n- list\n')

    const demo = await openDemo(harness, `${url}/#/minutes?rich`, { ...options, colorScheme })
    const { page } = demo
    await page.evaluate(AXE)
    const faults: string[] = []
    const look = (where: string) => async () => void faults.push(...(await faultsOf(page, where)))
    await page.locator('.caret.named').waitFor({ state: 'attached' })
    await look('rich text')()
    for (const [where, open] of Object.entries(VIEWS)) await open(demo, look(where))

    for (const [where, hash] of [
      ['rich text, read only', '#/minutes?rich&read'],
      ['an empty rich text', '#/empty?rich'],
      ['plain text', '#/plain'],
      ['plain text, read only', '#/plain?read'],
      ['no document', '#/..'],
    ] as const) {
      await page.evaluate((next) => {
        location.hash = next
      }, hash)
      await demo.says(hash === '#/..' ? 'No such document' : 'Connected')
      if (hash.includes('rich')) await demo.rich.waitFor()
      await look(where)()
    }
    expect(faults).toEqual([])
  })
})

describe('somebody who prefers less motion', () => {
  it('sees none', async () => {
    const { url } = await startServer({ demo: true })
    const { page, says } = await openDemo(harness, url, { reducedMotion: 'reduce' })
    await says('Connected')
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll('*')]
        .flatMap((node) => ['::before', '::after', null].map((part) => getComputedStyle(node, part)))
        .filter((style) => style.transitionDuration !== '0s' || style.animationName !== 'none')
        .map(({ transitionProperty }) => transitionProperty),
    )
    expect(moving).toEqual([])
  })
})
