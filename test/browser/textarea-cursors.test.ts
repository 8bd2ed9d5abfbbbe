import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

const ada = { name: 'Ada', color: '#e91e63' }

/** What is drawn: carets, names and pieces of selections, and where they are on the screen. */
const drawn = (page: Page) =>
  page.evaluate(() => {
    const marks = [...(document.querySelector('inkwire-cursors')?.lastElementChild?.children ?? [])]
    const of = (nodes: Element[]) =>
      nodes.map((node) => {
        const { x, y, width, height } = node.getBoundingClientRect()
        const { backgroundColor, color } = getComputedStyle(node)
        return { x, y, width, height, text: node.textContent, backgroundColor, color }
      })
    const isPiece = (node: Element) => getComputedStyle(node).opacity !== '1'
    return {
      carets: of(marks.filter((node) => !isPiece(node))),
      names: of(marks.flatMap((node) => [...node.children])),
      pieces: of(marks.filter(isPiece)),
    }
  })

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

  it('are drawn for others in this text only, and go when they go', async () => {
    const { page, settled } = await open({ text: 'abc', presence: true })
    await settled()
    expect(await page.evaluate(() => document.querySelector('inkwire-cursors'))).toBeNull()
    await page.evaluate((user) => point(1, 1, user), ada)
    await settled()
    expect((await drawn(page)).carets.length).toBe(1)
    await page.evaluate(() => {
      const elsewhere = remote.doc?.getText('another text')
      elsewhere?.insert(0, 'abc')
      const at = elsewhere && Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(elsewhere, 1))
      remoteAwareness.setLocalStateField('cursor', { anchor: at, head: at })
    })
    await settled()
    expect((await drawn(page)).carets).toEqual([])
    await page.evaluate(() => point(1, 1))
    await settled()
    expect((await drawn(page)).carets.length).toBe(1)
    await page.evaluate(() => remoteAwareness.setLocalState(null))
    await settled()
    expect(await page.evaluate(() => document.querySelector('inkwire-cursors'))).toBeNull()
  })

  it('go with the element when it is removed, and come back with it', async () => {
    const { page, settled } = await open({
      text: 'abc',
      html: '<textarea id="field"></textarea><section></section>',
      presence: true,
    })
    await page.evaluate((user) => point(1, 1, user), ada)
    await settled()
    const where = () =>
      page.evaluate(() => document.querySelector('inkwire-cursors')?.parentElement?.localName)
    expect(await where()).toBe('body')
    await page.evaluate(() => field.remove())
    await expect.poll(where).toBeUndefined()
    await page.evaluate(() => document.querySelector('section')?.append(field))
    await expect.poll(where).toBe('section')
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

  it('shift nothing in the page, take no clicks and are hidden from screen readers', async () => {
    const { page, settled } = await open({
      text: 'abc def',
      html: '<style>div div { margin: 9px; display: flex } * + * { border-top: 3px solid }</style><div style="display: flex; gap: 10px"><textarea id="field"></textarea><button>OK</button></div><p>below</p>',
      presence: true,
    })
    const places = () =>
      page.evaluate(() =>
        [...document.body.querySelectorAll('textarea, button, p')].map((each) =>
          JSON.stringify(each.getBoundingClientRect()),
        ),
      )
    const before = await places()
    await page.evaluate(() => point(1, 6, { name: 'A rather long name of somebody', color: 'teal' }))
    await settled()
    expect((await drawn(page)).carets.length).toBe(1)
    expect(await places()).toEqual(before)
    const [piece] = (await drawn(page)).pieces
    const hit = await page.evaluate(
      ([x, y]) => document.elementFromPoint(x ?? 0, y ?? 0)?.id,
      [(piece?.x ?? 0) + 5, (piece?.y ?? 0) + 5],
    )
    expect(hit).toBe('field')
    const inert = await page.evaluate(() => document.querySelector<HTMLElement>('inkwire-cursors')?.inert)
    expect(inert).toBe(true)
  })

  it('have names that can be read and colours that stand out, on light and on dark', async () => {
    const { page, settled } = await open({ text: 'abc', presence: true })
    const colours = [
      '#ff0',
      '#fff',
      '#000',
      'blue',
      '#0f0',
      '#f0f',
      'hsl(30 100% 50%)',
      'gold',
      'gray',
      'no colour',
      'oklch(0.7 0.3 140)',
      'color(display-p3 1 0 0)',
    ]
    const scheme = await page.evaluateHandle(() => {
      const meta = document.createElement('meta')
      meta.name = 'color-scheme'
      document.head.append(meta)
      return meta
    })
    for (const background of ['#fff', '#000', '#1e1e1e', '#fafafa'])
      for (const color of colours) {
        const dark = background === '#000' || background === '#1e1e1e'
        await scheme.evaluate(
          (meta, content) => {
            meta.content = content
          },
          dark ? 'dark' : 'light',
        )
        await page.evaluate(
          ([background, color]) => {
            field.style.background = background ?? ''
            point(1, 1, { name: 'Ada', color: color ?? '' })
          },
          [background, color],
        )
        await settled()
        const { carets, names } = await drawn(page)
        const contrasts = await page.evaluate(
          ([caret = '', name = '', letters = '']) => {
            const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
            const luminance = (colour: string) => {
              if (!canvas) throw new Error('no canvas')
              canvas.fillStyle = colour
              canvas.fillRect(0, 0, 1, 1)
              const [red = 0, green = 0, blue = 0] = [...canvas.getImageData(0, 0, 1, 1).data].map(
                (value) => {
                  const part = value / 255
                  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
                },
              )
              return 0.2126 * red + 0.7152 * green + 0.0722 * blue
            }
            const contrast = (a: string, b: string) => {
              const [x, y] = [luminance(a), luminance(b)]
              return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
            }
            return {
              caret: contrast(caret, getComputedStyle(field).backgroundColor),
              name: contrast(name, letters),
            }
          },
          [carets[0]?.backgroundColor ?? '', names[0]?.backgroundColor ?? '', names[0]?.color ?? ''],
        )
        expect(contrasts.caret, `caret in ${color} on ${background}`).toBeGreaterThan(3)
        expect(contrasts.name, `name on ${color}`).toBeGreaterThan(4.5)
      }
  })

  it('show names inside the window, and without motion', async () => {
    const { page, settled } = await open({
      text: 'abc def ghi jkl mno',
      html: '<p>x</p><textarea id="field" style="width: 100%; font: 20px monospace"></textarea>',
      presence: true,
    })
    for (const [from, to] of [
      [0, 0],
      [19, 19],
    ] as const) {
      await page.evaluate(
        ([from, to]) => {
          field.style.textAlign = from ? 'right' : 'left'
          point(from, to, { name: 'W'.repeat(200), color: 'teal' })
        },
        [from, to] as const,
      )
      await settled()
      const [name] = (await drawn(page)).names
      if (!name) throw new Error('no name')
      expect(name.y).toBeGreaterThan(0)
      expect(name.x).toBeGreaterThanOrEqual(0)
      expect(name.width).toBeLessThan(300)
      expect(name.x + name.width).toBeLessThanOrEqual(900)
      const moving = await page.evaluate(() => document.getAnimations().length)
      expect(moving, 'whatever motion is preferred').toBe(0)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(900)
    }
  })

  it('show the name for three seconds after its owner has moved', async () => {
    const { page, settled } = await open({ text: 'abc', presence: true })
    await page.evaluate((user) => point(1, 1, user), ada)
    await settled()
    expect((await drawn(page)).names.map((name) => name.text)).toEqual(['Ada'])
    await page.evaluate(() => {
      const heard = awareness.meta.get(remoteAwareness.clientID)
      if (heard) heard.lastUpdated -= 3000 // time passes
    })
    await page.keyboard.type('x')
    await settled()
    expect((await drawn(page)).names).toEqual([])
    expect((await drawn(page)).carets.length).toBe(1)
    await page.evaluate(() => point(0, 0))
    await settled()
    expect((await drawn(page)).names.map((name) => name.text)).toEqual(['Ada'])
  })

  it('do not let others’ presence break or leak anything', async () => {
    const { page, settled, errors } = await open({ text: 'abc', presence: true })
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const states: unknown[] = [
      { cursor: 7 },
      { cursor: { anchor: null, head: null } },
      { cursor: { anchor: {}, head: {} } },
      { cursor: { anchor: { item: { client: 2, clock: -5 } }, head: { item: { client: 2, clock: 1e300 } } } },
      { cursor: { anchor: { item: 'x' }, head: { tname: 7 } } },
      { cursor: { anchor: { tname: '__proto__' }, head: { tname: 'text' } } },
      { user: 'nobody' },
      { user: null },
      { user: { name: { toString: 'x' }, color: { a: 1 } } },
      { user: { name: '<img src="/leak">', color: 'red; background: url(/leak)' } },
      { user: { name: 'x', color: 'url(/leak)' } },
    ]
    for (const state of states) {
      await page.evaluate((broken) => {
        point(1, 1)
        const plain = remoteAwareness.getLocalState() ?? {}
        remoteAwareness.setLocalState({ ...plain, ...(broken as object) })
      }, state)
      await settled()
    }
    expect(errors).toEqual([])
    expect(requests).toEqual([])
    await page.evaluate((user) => point(1, 1, user), ada)
    await settled()
    expect((await drawn(page)).names.map((name) => name.text)).toEqual(['Ada'])
  })

  it('need no exception from a strict content security policy', async () => {
    const { page, settled } = await open({ text: 'abc', presence: true })
    await page.evaluate((user) => {
      const policy = document.createElement('meta')
      policy.httpEquiv = 'Content-Security-Policy'
      policy.content = "default-src 'self'; style-src 'self'"
      document.head.append(policy)
      binding.destroy()
      bindTextarea(text, field, { awareness })
      point(1, 2, user)
    }, ada)
    await settled()
    const { carets, pieces } = await drawn(page)
    expect([carets.length, pieces.length]).toEqual([1, 1])
    expect(carets[0]?.x).toBeGreaterThan(5)
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

describe('textarea 11: the own cursor', () => {
  it('is published in a frame after it moved, as relative positions, and taken back on blur', async () => {
    const { page, settled } = await open({ text: 'abcdef', presence: true })
    await page.evaluate(() => field.setSelectionRange(2, 4, 'backward'))
    await settled()
    await settled()
    const remoteView = () =>
      page.evaluate(() => {
        const { cursor } = remoteAwareness.getStates().get(awareness.clientID) ?? {}
        const at = (position: unknown) =>
          Y.createAbsolutePositionFromRelativePosition(
            Y.createRelativePositionFromJSON(position),
            remote.doc as typeof text.doc & object,
          )?.index
        return cursor ? [at(cursor.anchor), at(cursor.head)] : cursor
      })
    expect(await remoteView()).toEqual([4, 2])
    await page.evaluate(() => remote.insert(0, 'XX'))
    expect(await remoteView()).toEqual([6, 4])
    await page.evaluate(() => remote.insert(4, 'YY'))
    expect(await remoteView(), 'what is inserted at an end stays outside').toEqual([8, 6])
    await page.evaluate(() => remote.insert(8, 'ZZ'))
    expect(await remoteView()).toEqual([8, 6])
    await page.evaluate(() => field.blur())
    await settled()
    expect(await remoteView()).toBeNull()
  })

  it('is published once a frame at most, and only when it differs', async () => {
    const { page, settled } = await open({ text: 'abcdef', presence: true })
    await settled()
    const count = await page.evaluate(async () => {
      let count = 0
      awareness.on('update', () => count++)
      for (let index = 0; index < 6; index++) {
        field.setSelectionRange(index, index)
        field.dispatchEvent(new Event('selectionchange'))
      }
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      for (let index = 0; index < 6; index++) {
        field.dispatchEvent(new Event('selectionchange'))
        await new Promise((resolve) => requestAnimationFrame(resolve))
      }
      return count
    })
    expect(count).toBe(1)
  })

  it('is that of the element with the focus where several share an awareness', async () => {
    const { page, settled } = await open({
      text: 'abc',
      html: '<input id="title"><textarea id="field"></textarea>',
      presence: true,
    })
    const where = () => page.evaluate(() => awareness.getLocalState()?.cursor?.anchor?.tname ?? null)
    await page.evaluate(() => {
      const title = document.getElementById('title') as HTMLInputElement
      bindInput((text.doc as typeof text.doc & object).getText('title'), title, { awareness })
      field.setSelectionRange(0, 0)
    })
    await settled()
    expect(await where()).toBe('text')
    await page.focus('#title')
    await settled()
    expect(await where()).toBe('title')
    await page.focus('#field')
    await settled()
    expect(await where()).toBe('text')
  })
})
