import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { useBrowser } from '../support/browser.js'
import { type DemoPage, openDemo, PHONE } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'
import { createProvider } from '../support/provider.js'
import { until } from '../support/until.js'

const harness = useBrowser()

const ADA = { name: 'Ada King', color: '#3e66b3' }
const GRACE = { name: 'Grace Hopper', color: '#a74449' }

/** Two people in one rich text. */
const together = async () => {
  const { url } = await startServer({ demo: true })
  const address = `${url}/#/minutes?rich`
  const [a, b] = await Promise.all([openDemo(harness, address, ADA), openDemo(harness, address, GRACE)])
  await Promise.all([a.rich.waitFor(), b.rich.waitFor()])
  await Promise.all([a.says('Connected'), b.says('Connected')])
  return { url, a, b }
}

const type = async ({ rich, page }: DemoPage, text: string): Promise<void> => {
  await rich.focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(text)
}

const bothShow = (a: DemoPage, b: DemoPage, ...blocks: string[]) =>
  Promise.all([a.showsRich(...blocks), b.showsRich(...blocks)])

describe('rich text', () => {
  it('is written by two at once, with caret, name, and where it is safe', async () => {
    const { url, a, b } = await together()
    await type(a, '# Walk\nWe meet at ')
    await b.showsRich('h2 Walk', 'p We meet at')
    await type(b, 'nine')
    await bothShow(a, b, 'h2 Walk', 'p We meet at nine')
    await Promise.all([a.safe(), b.safe()])

    const caret = a.page.locator('.caret', { hasText: 'Grace Hopper' })
    await caret.waitFor({ state: 'attached' })
    const at = await a.page.evaluate(placeOfCaret)
    expect(at, 'beside the last letter').toEqual({ gap: 0, block: 'We meet at nine' })
    expect(await a.page.locator('.caret-name').evaluate((name) => getComputedStyle(name).color)).toBe(
      'rgb(0, 0, 0)',
    )

    // What was not typed together is there for whoever comes later.
    const late = await openDemo(harness, `${url}/#/minutes?rich`)
    await late.showsRich('h2 Walk', 'p We meet at nine')
    await b.page.close()
    await caret.waitFor({ state: 'detached' })
  })

  it('takes shorthand, keys and buttons, and undoes only one’s own', async () => {
    const { a, b } = await together()
    await type(a, '- map\nrope')
    await b.showsRich('li map', 'li rope')
    await type(b, 's and tent')
    await bothShow(a, b, 'li map', 'li ropes and tent')
    await b.page.keyboard.press('Control+z')
    await bothShow(a, b, 'li map', 'li rope')
    await b.page.keyboard.press('Control+y')
    await bothShow(a, b, 'li map', 'li ropes and tent')

    const tool = (name: string) => a.page.getByRole('button', { name, exact: true })
    await a.page.keyboard.press('Control+a')
    await a.page.keyboard.press('Control+b')
    await until('it is bold there', async () => (await b.rich.locator('strong').count()) === 2)
    expect(await tool('Bold').getAttribute('aria-pressed')).toBe('true')
    await tool('Bulleted list').click()
    await bothShow(a, b, 'p map', 'p ropes and tent')
    await tool('Undo').click()
    await bothShow(a, b, 'li map', 'li ropes and tent')
  })

  it('has links, by a panel or by pasting an address on a word', async () => {
    const { a, b } = await together()
    await type(a, 'see the map')
    // The editor selects by itself here; of what a browser selects it hears later than a test presses its next key.
    await a.page.keyboard.press('Control+a')
    await a.page.keyboard.press('Control+k')
    const address = a.page.getByRole('textbox', { name: 'Address', exact: true })
    await address.fill('not an address')
    await address.press('Enter')
    await a.page.getByRole('alert').waitFor()
    await address.fill('example.org/map')
    await address.press('Enter')
    const there = b.rich.getByRole('link', { name: 'see the map', exact: true })
    await there.waitFor()
    expect(await there.getAttribute('href')).toBe('https://example.org/map')
    expect(await there.getAttribute('rel')).toContain('noopener')
    expect(await a.rich.evaluate((node) => document.activeElement === node)).toBe(true)

    // Anywhere in it, the panel is about the whole of it.
    await a.page.keyboard.press('ArrowLeft')
    await a.page.getByRole('button', { name: 'Link', exact: true }).click()
    expect(await address.inputValue()).toBe('https://example.org/map')
    await a.page.getByRole('button', { name: 'Remove link' }).click()
    await there.waitFor({ state: 'detached' })

    await a.page.keyboard.press('Control+a')
    await a.rich.evaluate((node) => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', 'https://example.org/pasted')
      node.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
    })
    await there.waitFor()
    expect(await there.getAttribute('href')).toBe('https://example.org/pasted')
    await bothShow(a, b, 'p see the map')
  })

  it('has a toolbar that is one stop for Tab, with arrow keys inside and Escape back to the text', async () => {
    const { a } = await together()
    await type(a, 'x')
    await a.page.keyboard.press('Shift+Tab')
    const active = () => a.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
    expect(await active()).toBe('Bold')
    await a.page.keyboard.press('ArrowLeft')
    expect(await active()).toBe('Redo')
    await a.page.keyboard.press('Home')
    await a.page.keyboard.press('ArrowRight')
    expect(await active()).toBe('Italic')
    await a.page.keyboard.press('Escape')
    expect(await a.rich.evaluate((node) => document.activeElement === node)).toBe(true)
    await a.page.keyboard.press('Tab')
    expect(await active(), 'Tab leaves the text').not.toBe(await a.rich.getAttribute('aria-label'))
  })

  it('shows by a fade that there are more tools than fit, and only then', async () => {
    const { url, a } = await together()
    const fades = ({ page }: DemoPage) =>
      page.getByRole('toolbar').evaluate((tools) => ({
        edges: ['--before', '--after'].map((edge) => getComputedStyle(tools).getPropertyValue(edge)),
        ends: [tools.scrollLeft === 0, tools.scrollLeft + tools.clientWidth >= tools.scrollWidth - 1],
      }))
    const [OPAQUE, FADED] = ['#000', '#0000']
    expect(await fades(a)).toEqual({ edges: [OPAQUE, OPAQUE], ends: [true, true] })
    const phone = await openDemo(harness, `${url}/#/minutes?rich`, PHONE)
    await phone.rich.waitFor()
    await phone.says('Connected')
    const scrollTo = async (left: number, ...edges: string[]) => {
      await phone.page.getByRole('toolbar').evaluate((tools, to) => {
        tools.scrollLeft = to
      }, left)
      await until('it fades', async () => (await fades(phone)).edges.join() === edges.join())
    }
    await scrollTo(0, OPAQUE, FADED)
    await scrollTo(60, FADED, FADED)
    await scrollTo(1_000, FADED, OPAQUE)
  })

  it('can be read only, without tools', async () => {
    const { url, a } = await together()
    await type(a, 'read me')
    await a.safe()
    const reader = await openDemo(harness, `${url}/#/minutes?rich&read`)
    await reader.showsRich('p read me')
    expect(await reader.rich.getAttribute('contenteditable')).toBe('false')
    expect(await reader.page.getByRole('toolbar').isVisible()).toBe(false)
  })

  it('is what its content says, whatever the address says', async () => {
    const { url, a } = await together()
    await type(a, 'rich')
    await a.safe()
    const lost = await openDemo(harness, `${url}/#/minutes`)
    await lost.showsRich('p rich')
    expect(new URL(lost.page.url()).hash).toBe('#/minutes?rich')
    await lost.page.goto(`${url}/#/plain`)
    await lost.says('Connected')
    await lost.field.pressSequentially('plain')
    await lost.safe()
    const other = await openDemo(harness, `${url}/#/plain?rich`)
    await other.shows('plain')
    await other.create('rich')
    await other.rich.waitFor()
    expect(await other.rich.evaluate((node) => document.activeElement === node)).toBe(true)
  })

  it('loads its editor only when it is needed', async () => {
    const { url } = await startServer({ demo: true })
    const editors: string[] = []
    const { page } = await harness.newPage()
    page.on('request', (request) => {
      if (request.url().includes('/rich-')) editors.push(request.url())
    })
    await page.goto(url)
    await page.getByText('Connected').waitFor()
    expect(editors).toHaveLength(0)
    await page.goto(`${url}/#/a?rich`)
    await page.locator('.rich-text').waitFor()
    expect(editors).toHaveLength(1)
  })

  it('survives presence and content that were made to break it', async () => {
    const { url, a, b } = await together()
    await type(a, 'fine')
    await b.showsRich('p fine')
    const { provider, doc } = createProvider(url.replace('http', 'ws'), 'minutes')
    await provider.whenSynced
    const position = { type: null, tname: 'rich', item: null, assoc: 0 }
    for (const state of [
      { cursor: { anchor: 7, head: { item: { client: 'x', clock: {} } } }, user: 'nobody' },
      { cursor: { anchor: position, head: position }, user: 'nobody' },
      { cursor: { anchor: position, head: position }, user: { name: {}, color: 'url(evil)' } },
    ]) {
      provider.awareness.setLocalState(state)
      await a.page
        .getByRole('list', { name: 'Also here' })
        .getByText('Somebody')
        .waitFor({ state: 'attached' })
    }
    await a.page.locator('.caret', { hasText: 'Somebody' }).waitFor({ state: 'attached' })

    const trap = new Y.XmlText()
    trap.insert(0, 'click', { link: { href: 'javascript:alert(1)' } })
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.insert(0, [trap])
    doc.getXmlFragment('rich').push([paragraph])
    await bothShow(a, b, 'p fine', 'p click')
    expect(await a.rich.locator('a').count()).toBe(0)
    await type(b, ' on')
    await bothShow(a, b, 'p fine', 'p click on')
  })
})

/** Runs in the page: how far another's caret is from the end of the text before it, and what that text is. */
const placeOfCaret = () => {
  const caret = document.querySelector('.caret')
  const before = caret?.previousSibling
  if (!caret || !before) return null
  const range = document.createRange()
  range.selectNodeContents(before)
  const gap = Math.round(caret.getBoundingClientRect().left - range.getBoundingClientRect().right)
  return { gap: Math.abs(gap) <= 2 ? 0 : gap, block: before.textContent }
}
