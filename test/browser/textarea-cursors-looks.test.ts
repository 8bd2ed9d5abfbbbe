/** How the others' cursors look and when they are there, and that they disturb nothing in the page. */
import { describe, expect, it } from 'vitest'
import { ada, drawn, useTextarea } from '../support/textarea.js'

const open = useTextarea()

describe('textarea 11: the others’ cursors', () => {
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
      expect(name.cut, 'shows that there is more').toBe('ellipsis')
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
})
