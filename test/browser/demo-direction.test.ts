import { expect, it } from 'vitest'
import { useBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'

const harness = useBrowser()

it('a plain text is written from the side from which its letters are read', async () => {
  const { url } = await startServer({ demo: true })
  const [a, b] = [await openDemo(harness, url), await openDemo(harness, url)]
  await a.field.pressSequentially('שלום')
  await b.shows('שלום')
  const directions = () =>
    Promise.all([a, b].map(({ field }) => field.evaluate((element) => getComputedStyle(element).direction)))
  expect(await directions()).toEqual(['rtl', 'rtl'])
  await a.field.fill('peace')
  await b.shows('peace')
  expect(await directions()).toEqual(['ltr', 'ltr'])
})
