import { expect, it } from 'vitest'
import type { Access } from '../../server/index.js'
import { useBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo.js'
import { startServer } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'

const harness = useBrowser()

it.each(['plain', 'rich'] as const)(
  'who may no longer write a %s text can’t, and can again, without a reload',
  async (kind) => {
    let access: Access = 'write'
    const settings = { data: await tempDir(), demo: true, authorize: () => ({ user: '', access }) }
    let { server, url } = await startServer(settings)
    const grant = async (next: Access) => {
      access = next
      await server.close()
      ;({ server, url } = await startServer({ ...settings, port: Number(new URL(url).port) }))
      await demo.says('Connected')
      demo.forgiveOutage()
    }
    const demo = await openDemo(harness, `${url}/#/minutes${kind === 'rich' ? '?rich' : ''}`)
    const { page, ime } = demo
    const field = kind === 'rich' ? demo.rich : demo.field
    const shows = (text: string) => (kind === 'rich' ? demo.showsRich(`p ${text}`) : demo.shows(text))
    await demo.says('Connected')
    await field.focus()
    await page.keyboard.insertText('Minutes.')
    await demo.safe()

    await grant('read')
    await page.getByText('Read only', { exact: true }).first().waitFor()
    await page.keyboard.insertText('graffiti')
    for (const key of ['x', 'Enter', 'Backspace', 'Control+Z', 'Control+Y', 'Control+A', 'Control+X'])
      await page.keyboard.press(key)
    await ime.compose('n')
    await ime.commit('你')
    await shows('Minutes.')
    expect(await page.getByRole('toolbar').isVisible()).toBe(false)

    await grant('write')
    await field.focus()
    await page.keyboard.press('Control+End')
    await page.keyboard.insertText(' Next.')
    await shows('Minutes. Next.')
    await demo.safe()
  },
)

it.each(['plain', 'rich'] as const)(
  'an empty %s text says so to its readers, until there is something',
  async (kind) => {
    const { url } = await startServer({ demo: true })
    const reader = await openDemo(harness, `${url}/#/minutes?${kind === 'rich' ? 'rich&' : ''}read`)
    const says =
      kind === 'rich'
        ? reader.page.locator('.rich-text[data-empty="Nothing has been written here yet."]')
        : reader.page.getByPlaceholder('Nothing has been written here yet.')
    await says.waitFor()
    const writer = await openDemo(harness, `${url}/#/minutes${kind === 'rich' ? '?rich' : ''}`)
    await writer.says('Connected')
    const field = kind === 'rich' ? writer.rich : writer.field
    await field.focus()
    await writer.page.keyboard.insertText('Minutes.')
    if (kind === 'rich') await reader.showsRich('p Minutes.')
    else await reader.shows('Minutes.')
    if (kind === 'rich') expect(await says.count()).toBe(0)
  },
)
