/**
 * What the README shows: people at work in the demo, on a desk and on a telephone. Each run takes its pictures anew, and
 * fails when those that it shows look otherwise. `INKWIRE_SCREENSHOT=1 npx vitest run test/browser/demo-pictures.test.ts`
 * puts the new ones in their place.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions } from 'playwright-core'
import { expect, it } from 'vitest'
import { useBrowser } from '../support/browser.js'
import { type DemoOptions, type DemoPage, openDemo, PHONE } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'
import { until } from '../support/until.js'

/** Of 100: letters stay sharp. */
const QUALITY = 84
const LARGEST_PICTURE_BYTES = 100_000
/** How far the README's picture may be from the new one, of 255: other machines have other letters. */
const LARGEST_DIFFERENCE = 3
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

/** What a picture looks like. */
interface Sight {
  readonly width: number
  readonly height: number
  /** How many colours it has, roughly. */
  readonly colors: number
  /** Its colours on a coarse raster, 0 to 255. */
  readonly raster: readonly number[]
}

const lookAt = async (picture: Buffer): Promise<Sight> => {
  const { page } = await harness.newPage()
  return page.evaluate(sightOf, picture.toString('base64'))
}

/** Runs in a page. */
const sightOf = async (base64: string): Promise<Sight> => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/webp' }))
  const draw = (width: number, height: number): Uint8ClampedArray => {
    const context = new OffscreenCanvas(width, height).getContext('2d')
    if (!context) throw new Error('no canvas')
    context.drawImage(bitmap, 0, 0, width, height)
    return context.getImageData(0, 0, width, height).data
  }
  const pixels = draw(bitmap.width, bitmap.height)
  const colors = new Set<number>()
  for (let at = 0; at < pixels.length; at += 4)
    colors.add(
      ((pixels[at] ?? 0) >> 4) * 256 + ((pixels[at + 1] ?? 0) >> 4) * 16 + ((pixels[at + 2] ?? 0) >> 4),
    )
  return { width: bitmap.width, height: bitmap.height, colors: colors.size, raster: [...draw(24, 24)] }
}

/** The mean difference of two rasters, of 255. */
const differenceOf = (a: Sight, b: Sight): number =>
  a.raster.reduce((sum, value, at) => sum + Math.abs(value - (b.raster[at] ?? 0)), 0) / a.raster.length

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
  const { width = 0, height = 0 } = window.viewport ?? {}
  const { deviceScaleFactor: scale = 1 } = window
  const { data } = await camera.send('Page.captureScreenshot', {
    format: 'webp',
    quality: QUALITY,
    clip: { x: 0, y: 0, width, height, scale },
  })
  const picture = Buffer.from(data, 'base64')
  expect(picture.length).toBeLessThan(LARGEST_PICTURE_BYTES)
  const shown = fileURLToPath(new URL(`../../client/demo/${file}`, import.meta.url))
  if (process.env.INKWIRE_SCREENSHOT) await writeFile(shown, picture)

  const [taken, inReadme] = [await lookAt(picture), await lookAt(await readFile(shown))]
  const size = { width: width * scale, height: height * scale }
  expect(taken).toMatchObject(size)
  expect(inReadme, 'the picture in the README').toMatchObject(size)
  expect(taken.colors, 'it is not blank').toBeGreaterThan(50)
  expect(differenceOf(taken, inReadme), 'the picture in the README is no longer true').toBeLessThan(
    LARGEST_DIFFERENCE,
  )
  console.log(
    `${file}: ${taken.colors} colours, ${differenceOf(taken, inReadme).toFixed(2)} from the README's`,
  )
})
