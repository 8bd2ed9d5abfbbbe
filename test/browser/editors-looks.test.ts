/** The editor pages, light and dark, on a desk and on a phone: everything on them can be read. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { useBrowser } from '../support/browser.js'
import { contrast } from '../support/contrast.js'
import { EDITORS, openEditor, useEditors } from '../support/editors.js'
import { startServer } from '../support/inkwire.js'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** WCAG 2, level AA. */
const READABLE = 4.5
const VISIBLE = 3

const harness = useBrowser()
const pages = useEditors()

/** Runs in the page: a text's colour, its caret's, and the ground that it stands on, as `#rrggbb`. */
const colorsAt = (selector: string) => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const paint = (...colors: string[]) => {
    if (!canvas) throw new Error('no canvas')
    for (const color of colors) {
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
    }
    const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data
    return `#${[red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('')}`
  }
  const node = document.querySelector(selector)
  const behind: string[] = []
  for (let at = node; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor)
  if (!node) throw new Error(`there is no ${selector}`)
  const { color, caretColor } = getComputedStyle(node)
  return { text: paint(color), caret: paint(caretColor), ground: paint('#fff', ...behind) }
}

/** What axe finds too faint, in a line each. */
const tooFaint = async (page: Page): Promise<string[]> => {
  const { violations } = (await page.evaluate(
    'axe.run(document, { runOnly: ["color-contrast"], resultTypes: ["violations"] })',
  )) as AxeResults
  return violations.flatMap(({ nodes }) => nodes.map(({ failureSummary }) => failureSummary ?? ''))
}

const isDark = (ground: string): boolean => contrast(ground, '#000000') < contrast(ground, '#ffffff')

/** Looks at a page in all lights, and follows without a reload. */
const inEachLight = async (page: Page, look: (where: string, dark: boolean) => Promise<void>) => {
  await page.evaluate(AXE)
  for (const colorScheme of ['light', 'dark', 'light'] as const)
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 640 })
      await page.emulateMedia({ colorScheme })
      const where = `${colorScheme}, ${width} pixels`
      await look(where, colorScheme === 'dark')
      expect(await tooFaint(page), where).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth), where).toBe(width)
    }
}

it.each(EDITORS)('$name', async (editor) => {
  const { ws } = await startServer()
  const ada = await openEditor(harness, pages, editor, { server: ws, person: 'Ada' })
  const grace = await openEditor(harness, pages, editor, { server: ws, person: 'Grace' })
  for (const { status } of [ada, grace]) await expect.poll(status).not.toBe('Connecting…')
  await ada.field.click()
  await ada.page.keyboard.insertText('Minutes. ')
  await expect.poll(grace.text).toBe('Minutes. ')
  await grace.field.click()
  await grace.page.keyboard.press('End')
  await grace.page.keyboard.press('Shift+Home')
  await expect.poll(ada.carets).toEqual(['Grace'])

  await inEachLight(ada.page, async (where, dark) => {
    await expect
      .poll(async () => isDark((await ada.page.evaluate(colorsAt, editor.content)).ground), {
        message: where,
      })
      .toBe(dark)
    const { text, caret, ground } = await ada.page.evaluate(colorsAt, editor.content)
    expect(contrast(text, ground), `text, ${where}`).toBeGreaterThanOrEqual(READABLE)
    expect(contrast(caret, ground), `caret, ${where}`).toBeGreaterThanOrEqual(VISIBLE)
  })
})

it('the list of them', async () => {
  const { page } = await harness.newPage()
  await page.goto(pages.url)
  await inEachLight(page, async (where, dark) => {
    expect(isDark((await page.evaluate(colorsAt, 'main')).ground), where).toBe(dark)
  })
})
