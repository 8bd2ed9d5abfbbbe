/**
 * What the README shows: people at work in the demo, on a desk and on a telephone.
 *
 * `INKWIRE_SCREENSHOT=1 npx vitest run test/browser/demo-pictures.test.ts` renews its pictures.
 */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions } from 'playwright-core'
import { expect, it } from 'vitest'
import { useBrowser } from '../support/browser.js'
import { type DemoOptions, type DemoPage, openDemo, PHONE } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'
import { until } from '../support/until.js'

/** Of 100: letters stay sharp. */
const QUALITY = 92
const LARGEST_PICTURE_BYTES = 100_000
const HOUR_MS = 3_600_000

const harness = useBrowser()

const ADA = { name: 'Ada King', color: '#3e66b3' }
const GRACE = { name: 'Grace Hopper', color: '#a74449' }
const TOVE = { name: 'Tove Ditlevsen', color: '#4f7715' }

/** A reader's list, as it may have grown in two days. */
const documents = [
  { name: 'brisk-harbor-4kd9', kind: 'rich', label: 'River walk', hours: 0, pinned: true },
  { name: 'team/roadmap', kind: 'rich', hours: 3 },
  { name: 'calm-meadow-7gx2', kind: 'plain', label: 'Packing list', hours: 26 },
  { name: 'welcome', kind: 'plain', hours: 50 },
].map(({ hours, ...entry }) => ({ ...entry, openedAt: Date.now() - hours * HOUR_MS }))

const openAt = async (address: string, options: DemoOptions): Promise<DemoPage> => {
  const demo = await openDemo(harness, address, { ...options, documents })
  await demo.rich.waitFor()
  await demo.says('Connected')
  return demo
}

const write = async ({ rich, page }: DemoPage): Promise<void> => {
  await rich.focus()
  const { keyboard } = page
  const bold = async (text: string) => {
    await keyboard.press('Control+b')
    await keyboard.insertText(text)
    await keyboard.press('Control+b')
  }
  await keyboard.type('# ')
  await keyboard.insertText('River walk on Saturday')
  await keyboard.press('Enter')
  await keyboard.insertText('We meet at the ')
  await bold('mill at nine')
  await keyboard.insertText('. The lower path is still under water: we take the one past the orchard.')
  await keyboard.press('Enter')
  await keyboard.type('## ')
  await keyboard.insertText('To bring')
  await keyboard.press('Enter')
  await keyboard.type('- ')
  await keyboard.insertText('the map of the weir')
  await keyboard.press('Enter')
  await keyboard.insertText('two ropes, and the big thermos')
  for (let end = 0; end < 2; end++) await keyboard.press('Enter')
  await keyboard.type('> ')
  await keyboard.insertText('Has anybody seen the heron again?')
}

const select = async ({ page, rich }: DemoPage, block: string): Promise<void> => {
  await rich.getByText(block).click()
  await page.keyboard.press('Home')
  await page.keyboard.press('Shift+End')
}

it.each<[file: string, window: BrowserContextOptions]>([
  ['screenshot.webp', { viewport: { width: 1160, height: 640 }, deviceScaleFactor: 2 }],
  ['screenshot-phone.webp', { ...PHONE, colorScheme: 'dark' }],
])('%s shows carets, names, and that all is safe, and is a small file', async (file, window) => {
  const { url } = await startServer({ demo: true })
  const address = `${url}/#/brisk-harbor-4kd9?rich`
  const ada = await openAt(address, { ...ADA, ...window })
  await write(ada)
  const [grace, tove] = await Promise.all([openAt(address, GRACE), openAt(address, TOVE)])
  await Promise.all([grace, tove].map(({ rich }) => rich.getByText('heron').waitFor()))
  await tove.rich.getByText('heron').click()
  await tove.page.keyboard.press('End')
  await select(grace, 'big thermos')
  await ada.rich.blur()
  await until(
    'both carets have their names',
    async () => (await ada.page.locator('.caret.named').count()) === 2,
  )
  await ada.page.locator('.others-selection').waitFor()
  await ada.safe()

  const camera = await ada.page.context().newCDPSession(ada.page)
  const { data } = await camera.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
  const picture = Buffer.from(data, 'base64')
  expect(picture.length).toBeLessThan(LARGEST_PICTURE_BYTES)
  if (process.env.INKWIRE_SCREENSHOT)
    await writeFile(fileURLToPath(new URL(`../../client/demo/${file}`, import.meta.url)), picture)
})
