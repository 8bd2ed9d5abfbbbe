/** Where the others' cursors and selections are drawn, compared with where the browser has the characters. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { ada, drawn, useTextarea } from '../support/textarea.js'

const open = useTextarea()

/** Where the browser itself shows a character selected: found in a screenshot, by its colour. */
const seen = async (page: Page, index: number) => {
  await page.evaluate((at) => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('#field::selection { background: rgb(255, 0, 0); color: transparent }')
    document.adoptedStyleSheets = [sheet]
    field.focus()
    field.setSelectionRange(at, at + 1)
  }, index)
  const shot = `data:image/png;base64,${(await page.screenshot()).toString('base64')}`
  return page.evaluate(async (url) => {
    const image = new Image()
    image.src = url
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
    if (!canvas) throw new Error('no canvas')
    canvas.drawImage(image, 0, 0)
    const { data } = canvas.getImageData(0, 0, image.width, image.height)
    let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1, -1]
    for (let pixel = 0; pixel < data.length / 4; pixel++) {
      const [red = 0, green = 0, blue = 0] = data.slice(4 * pixel, 4 * pixel + 3)
      // The piece that is compared with it may be drawn over it.
      if (red > 180 && green < 90 && blue < 90) {
        const [x, y] = [pixel % image.width, Math.floor(pixel / image.width)]
        left = Math.min(left, x)
        right = Math.max(right, x + 1)
        top = Math.min(top, y)
        bottom = Math.max(bottom, y + 1)
      }
    }
    return { left, top, right, bottom }
  }, shot)
}

describe('textarea 11: the others’ cursors', () => {
  const prose =
    'The quick brown fox jumps over the lazy dog, and\tso on.\n\nWaffles & Türen: 你好 😀 fi ffi.\n'
  const looks: [name: string, html: string][] = [
    ['a plain textarea', '<textarea id="field" rows="8" cols="40">'],
    [
      'fonts, padding, borders and a width with a fraction',
      '<div style="width: 500px"><textarea id="field" style="width: 61.7%; height: 200px; font: italic 17px/1.7 Georgia, serif; padding: 7px 23px; border: 5px solid; letter-spacing: .4px; word-spacing: 3px; tab-size: 3; text-indent: 0">',
    ],
    ['a scrollbar', '<textarea id="field" style="width: 200px; height: 90px; font: 15px sans-serif">'],
    ['no wrapping', '<textarea id="field" wrap="off" style="width: 600px; height: 150px">'],
    [
      'centred text in a flex box',
      '<div style="display: flex; gap: 9px"><p>Label</p><textarea id="field" style="flex: 1; text-align: center; height: 200px; resize: none">',
    ],
    [
      'a grid, box sizing and a scaled font',
      '<div style="display: grid; padding: 30px; font-size: 22px"><textarea id="field" style="box-sizing: border-box; width: 75%; height: 9em; font-size: .8em; font-family: inherit; padding: 1em">',
    ],
    [
      'an input',
      '<p>Name: <input id="field" style="width: 700px; height: 50px; font-size: 18px; padding: 4px 20px"></p>',
    ],
    [
      'a centred input in a table',
      '<table><tr><td>x<td style="padding: 20px"><input id="field" style="width: 600px; text-align: center">',
    ],
  ]
  for (const [name, html] of looks)
    it(`are where the browser has the characters: ${name}`, async () => {
      const { page, settled } = await open({ text: prose, html, presence: true })
      const value = await page.evaluate(() => field.value)
      let compared = 0
      for (const index of [
        0,
        4,
        21,
        36,
        value.indexOf('你'),
        value.indexOf('ff'),
        value.length - 2,
        value.indexOf('Waf'),
        value.indexOf('jumps'),
        value.indexOf('over'),
        value.indexOf('lazy'),
      ]) {
        const truth = await seen(page, index)
        await page.evaluate((at) => {
          field.blur()
          const start = text.toString().indexOf(field.value[at] ?? '', at)
          point(start + 1, start)
        }, index)
        await settled()
        if (truth.right < 0) continue
        const { pieces, carets } = await drawn(page)
        const [piece] = pieces
        if (!piece) throw new Error(`nothing is drawn for character ${index}`)
        expect(Math.abs(piece.x - truth.left), `left of ${index}`).toBeLessThan(1.1)
        expect(Math.abs(piece.x + piece.width - truth.right), `right of ${index}`).toBeLessThan(1.6)
        expect(Math.abs((carets[0]?.x ?? 0) - truth.left), `caret at ${index}`).toBeLessThan(1.1)
        expect(carets[0]?.y, `caret at ${index}`).toBe(piece.y)
        expect(piece.y + piece.height / 2, `middle of ${index}`).toBeGreaterThan(truth.top)
        expect(piece.y + piece.height / 2, `middle of ${index}`).toBeLessThan(truth.bottom)
        compared++
      }
      expect(compared, 'characters in sight').toBeGreaterThan(3)
    })

  for (const [name, attributes] of [
    ['by each paragraph', 'dir="auto"'],
    ['from the right', 'dir="rtl"'],
    ['from the left', ''],
  ])
    it(`are where the browser has the characters: lines of several directions, read ${name}`, async () => {
      const value = 'שלום עולם, 12 abc\nEnglish (שלום) and on!\n\n- שלום abc\nAbc.'
      const { page, settled } = await open({
        text: value,
        html: `<textarea id="field" ${attributes} rows="8" style="width: 500px; font: 18px sans-serif">`,
        presence: true,
      })
      for (const character of ['ש', '1', 'a', 'E', '!', '-', 'A', '.']) {
        const index = value.indexOf(character)
        const truth = await seen(page, index)
        await page.evaluate((at) => {
          field.blur()
          point(at + 1, at)
        }, index)
        await settled()
        const [piece] = (await drawn(page)).pieces
        expect(piece?.x, `left of ${character}`).toBeGreaterThan(truth.left - 1.6)
        expect(piece?.x, `left of ${character}`).toBeLessThan(truth.left + 1.6)
        expect(piece?.y, `top of ${character}`).toBeLessThan(truth.bottom)
      }
    })

  it('cover a selection of several lines, and end at the caret with the name', async () => {
    const { page, settled } = await open({ text: 'one two\n\nthree four', presence: true })
    await page.evaluate((user) => point(12, 4, user), ada)
    await settled()
    const { carets, names, pieces } = await drawn(page)
    expect(pieces.every((piece) => piece.width > 1)).toBe(true)
    expect(new Set(pieces.map((piece) => piece.y)).size).toBe(3)
    expect(names.map((name) => name.text)).toEqual(['Ada'])
    expect(carets.length).toBe(1)
    expect(carets[0]?.y, 'the head is in the first line').toBe(pieces[0]?.y)
    expect(Math.abs((carets[0]?.x ?? 0) - (pieces[0]?.x ?? 0))).toBeLessThan(1)
  })

  it('follow the text, the scroll position, the size and the fonts', async () => {
    const { page, settled } = await open({
      text: 'word '.repeat(200),
      html: '<p id="above"></p><textarea id="field" style="width: 300px; height: 120px; font: 16px sans-serif"></textarea>',
      presence: true,
    })
    await page.evaluate(() => {
      field.blur()
      point(100, 101)
    })
    /** Resolves with the first piece once it is elsewhere than it was. */
    const moved = async (from: { x: number; y: number } | undefined) => {
      await expect.poll(async () => (await drawn(page)).pieces[0], { timeout: 5000 }).not.toEqual(from)
      return (await drawn(page)).pieces[0]
    }
    await settled()
    const first = (await drawn(page)).pieces[0]
    await page.evaluate(() => remote.insert(0, 'XXX '))
    const shifted = await moved(first)
    await page.evaluate(() => {
      field.scrollTop = 20
    })
    const scrolled = await moved(shifted)
    expect(scrolled?.y).toBeCloseTo((shifted?.y ?? 0) - 20, 0)
    await page.evaluate(() => {
      field.style.width = '200px'
    })
    const resized = await moved(scrolled)
    await page.evaluate(() => {
      field.scrollTop = 0
      ;(document.getElementById('above') as HTMLElement).style.height = '77px'
    })
    await moved(resized)
    await settled()
    const before = (await drawn(page)).pieces[0]
    const truth = await seen(page, 104)
    expect(Math.abs((before?.y ?? 0) - truth.top)).toBeLessThan(3)
    expect(Math.abs((before?.x ?? 0) - truth.left)).toBeLessThan(1.1)
    await page.evaluate(async () => {
      field.blur()
      field.style.fontFamily = 'Late, sans-serif'
      const late = new FontFace(
        'Late',
        'local("DejaVu Sans Mono"), local("Open Sans Bold"), local("OpenSans-Bold")',
      )
      document.fonts.add(await late.load())
      document.fonts.dispatchEvent(new Event('loadingdone'))
    })
    await settled()
    const loaded = await seen(page, 104)
    await settled()
    const after = (await drawn(page)).pieces[0]
    expect(Math.abs((after?.x ?? 0) - loaded.left)).toBeLessThan(1.1)
    await page.evaluate(() => {
      field.scrollTop = 10_000
    })
    await settled()
    expect((await drawn(page)).pieces, 'out of sight').toEqual([])
  })

  it('move with what is typed here, also while an input method composes', async () => {
    const { page, settled, ime } = await open({ text: 'abc', presence: true })
    await page.evaluate(() => {
      field.setSelectionRange(0, 0)
      point(2, 2)
    })
    await settled()
    const x = async () => (await drawn(page)).carets[0]?.x ?? 0
    const first = await x()
    await page.keyboard.type('xx')
    await settled()
    const second = await x()
    expect(second).toBeGreaterThan(first + 5)
    await ime.compose('nnn')
    await settled()
    const third = await x()
    expect(third).toBeGreaterThan(second + 5)
    await page.evaluate(() => remote.insert(0, 'WWW')) // waits: the caret stays with its letter
    await settled()
    expect(await x()).toBe(third)
    await ime.commit('nnn')
    await settled()
    await settled()
    expect(await x()).toBeGreaterThan(third + 5)
  })
})
