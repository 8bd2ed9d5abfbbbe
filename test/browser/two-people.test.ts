/** The demo as `inkwire serve` serves it, in real browsers of two people, with a real process to kill. */
import { describe, expect, it } from 'vitest'
import { useBrowser } from '../support/browser.js'
import { type DemoPage, ON_DEVICE, openDemo, openWindow, SAFE } from '../support/demo.js'
import { serveProcess, startServer } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const MINUTES = `River walk on Saturday

We meet at the mill at nine. The lower path is still under water:
we take the one past the orchard.

To bring
– the map of the weir
– `
const THERMOS = 'two ropes, and the big thermos from the club house'

const harness = useBrowser()

const ADA = { name: 'Ada King', color: '#3e66b3' }
const GRACE = { name: 'Grace Hopper', color: '#a74449' }

/** Two people with the same document of a server. */
const meetAt = async (url: string) => {
  const [a, b] = await Promise.all([openDemo(harness, url, ADA), openDemo(harness, url, GRACE)])
  await Promise.all([a.says('Connected'), b.says('Connected')])
  return { a, b }
}

/** A server in this process, which is there at once, and two people. */
const together = async () => meetAt((await startServer({ demo: true })).url)

/** A server in a process of its own, which can be killed, and two people. */
const togetherAtProcess = async () => {
  const data = await tempDir()
  const server = await serveProcess(data)
  return { data, server, ...(await meetAt(server.url)) }
}

const write = async ({ field, page }: DemoPage, text: string, where: 'start' | 'end' = 'end') => {
  await field.focus()
  await page.keyboard.press(where === 'end' ? 'Control+End' : 'Control+Home')
  await page.keyboard.type(text)
}

const bothShow = (a: DemoPage, b: DemoPage, text: string) => Promise.all([a.shows(text), b.shows(text)])

const killed = async ({ child, exited }: Awaited<ReturnType<typeof serveProcess>>) => {
  child.kill('SIGKILL')
  expect(await exited).toBe('SIGKILL')
}

describe('two people in one document', () => {
  it('see each other type, with caret and name, until all is safe', async () => {
    const { a, b } = await togetherAtProcess()
    await a.field.focus()
    await a.page.keyboard.insertText(MINUTES)
    await b.shows(MINUTES)
    await write(b, THERMOS)
    await a.shows(MINUTES + THERMOS)
    await Promise.all([a.safe(), b.safe()])

    const caret = a.carets.filter({ hasText: 'Grace Hopper' })
    await caret.waitFor({ state: 'attached' })
    const [box, field] = [await caret.boundingBox(), await a.field.boundingBox()]
    const end = await a.page.evaluate(endOfText)
    const [x, y] = [(box?.x ?? 0) - (field?.x ?? 0), (box?.y ?? 0) - (field?.y ?? 0)]
    expect(Math.abs(x - end.x), 'pixels beside the last letter').toBeLessThan(3)
    expect(y > end.top && y + (box?.height ?? 0) < end.bottom, 'in the last line').toBe(true)
    expect(await a.page.getByRole('list', { name: 'Also here' }).textContent()).toContain('Grace Hopper')
    expect(await b.page.getByRole('list', { name: 'Also here' }).textContent()).toContain('Ada King')

    for (let word = 0; word < 4; word++) await b.page.keyboard.press('Control+ArrowLeft')
    await b.page.keyboard.press('Shift+End')
    await a.selections.first().waitFor({ state: 'attached' })
  })

  it('lose nothing when the server is killed under them, and are told the truth meanwhile', async () => {
    const { data, server, a, b } = await togetherAtProcess()
    await write(a, 'Saved before. ')
    await Promise.all([b.shows('Saved before. '), a.safe()])

    await killed(server)
    await Promise.all([a.says('Server not reachable'), b.says('Server not reachable')])
    const before = [await a.claims(), await b.claims()].map(({ length }) => length)
    await write(a, 'Ada, alone. ')
    await write(b, 'Grace, alone. ', 'start')
    await bothWait(a, b)
    const during = [await a.claims(), await b.claims()].map((claims, index) => claims.slice(before[index]))
    expect(during, 'what was claimed while the server was away').toEqual([[ON_DEVICE], [ON_DEVICE]])
    for (const { page } of [a, b])
      expect(await page.locator('#detail').textContent()).toContain('kept in this browser')

    const again = await serveProcess(data, { port: server.port })
    await bothShow(a, b, 'Grace, alone. Saved before. Ada, alone. ')
    await Promise.all([a.safe(), b.safe()])
    await Promise.all([a.says('Connected'), b.says('Connected')])

    // "Safe" was a promise: it outlives another kill, and both of them.
    await killed(again)
    for (const person of [a, b]) {
      await person.page.close()
      person.forgiveOutage()
    }
    const third = await serveProcess(data)
    const newcomer = await openDemo(harness, third.url)
    await newcomer.shows('Grace, alone. Saved before. Ada, alone. ')
  })

  it('lose nothing either when both windows belong to one browser', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    const a = await openDemo(harness, server.url)
    const b = await openWindow(harness, server.url, a.page.context())
    await write(a, 'Before. ')
    await Promise.all([b.shows('Before. '), a.safe(), b.safe()])

    await killed(server)
    await Promise.all([a.says('Server not reachable'), b.says('Server not reachable')])
    await write(a, 'Left. ')
    await bothShow(a, b, 'Before. Left. ')
    await write(b, 'Right. ')
    await bothShow(a, b, 'Before. Left. Right. ')
    expect([await a.claim(), await b.claim()]).toEqual([ON_DEVICE, ON_DEVICE])
    // One is enough to bring home what both have typed.
    await b.page.close()
    b.forgiveOutage()

    const again = await serveProcess(data, { port: server.port })
    await a.safe()
    const newcomer = await openDemo(harness, again.url)
    await newcomer.shows('Before. Left. Right. ')
    for (const { page } of [a, newcomer]) await page.close()
    a.forgiveOutage()
  })

  it('merge what one of them typed without a network', async () => {
    const { a, b } = await together()
    await a.page.context().setOffline(true)
    await write(a, 'From the tunnel. ')
    await a.says('This device is offline')
    await write(b, 'From above. ')
    await b.safe()
    expect(await a.claim()).toBe(ON_DEVICE)
    expect(await a.field.inputValue()).toBe('From the tunnel. ')
    expect(await b.field.inputValue()).toBe('From above. ')

    await a.page.context().setOffline(false)
    await a.safe()
    const merged = await a.field.inputValue()
    expect(['From the tunnel. From above. ', 'From above. From the tunnel. ']).toContain(merged)
    await bothShow(a, b, merged)
    await a.says('Connected')
    a.forgiveOutage()
  })

  it('compose with an input method while the other types', async () => {
    const { a, b } = await together()
    await write(a, '[]')
    await b.shows('[]')
    await a.page.keyboard.press('ArrowLeft')
    await a.ime.compose('n')
    await write(b, 'before ', 'start')
    await a.ime.compose('ni')
    await write(b, ' behind')
    await a.ime.compose('nih')
    await a.ime.commit('你好')
    await a.page.keyboard.type('!')
    await bothShow(a, b, 'before [你好!] behind')
  })

  it('undo and redo only what they typed themselves', async () => {
    const { a, b } = await together()
    await write(a, 'one ')
    await b.shows('one ')
    await write(b, 'two ')
    await a.shows('one two ')
    await a.page.keyboard.press('Control+z')
    await bothShow(a, b, 'two ')
    await a.page.keyboard.press('Control+z')
    await a.page.keyboard.press('Control+Shift+z')
    await bothShow(a, b, 'one two ')
    await b.page.keyboard.press('Control+z')
    await bothShow(a, b, 'one ')
  })

  it('find the text and themselves again after a reload', async () => {
    const { a, b } = await together()
    await write(a, 'still here')
    await a.safe()
    await a.page.reload()
    await a.shows('still here')
    await a.safe()
    await until('Grace sees Ada', async () => {
      const others = await b.page.getByRole('list', { name: 'Also here' }).getByRole('listitem').all()
      return others.length === 1
    })
    // A page that goes at once may leave the browser's mark of an edit that has just become safe.
    expect((await a.claims()).filter((claim) => claim !== ON_DEVICE)).toEqual([SAFE])
  })
})

/** Both have edits that wait, and their status bars say how many. */
const bothWait = (a: DemoPage, b: DemoPage) =>
  Promise.all(
    [a, b].map(({ page }) =>
      until('the status bar counts the edits', async () => {
        const words = await page.locator('#waiting').textContent()
        return /^\d+ edits waiting, the oldest for \d+ s$/.test(words ?? '')
      }),
    ),
  )

/** Runs in the page: where, relative to the field, its last line ends and between which heights it lies. */
const endOfText = () => {
  const field = document.querySelector('textarea')
  const context = document.createElement('canvas').getContext('2d')
  if (!field || !context) throw new Error('no textarea')
  const style = getComputedStyle(field)
  context.font = style.font
  const lines = field.value.split('\n')
  const height = Number.parseFloat(style.lineHeight)
  const bottom = Number.parseFloat(style.paddingTop) + lines.length * height
  return {
    x: Number.parseFloat(style.paddingLeft) + context.measureText(lines.at(-1) ?? '').width,
    top: bottom - height,
    bottom,
  }
}
