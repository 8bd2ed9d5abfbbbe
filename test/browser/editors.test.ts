import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { Access, ServerOptions } from '../../server/index.js'
import { useBrowser } from '../support/browser.js'
import { EDITORS, type Editor, openEditor, useEditors } from '../support/editors.js'
import { serveProcess, startServer } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'

const harness = useBrowser()
const pages = useEditors()

it('each page is under 60 lines', async () => {
  for (const { name } of EDITORS) {
    const file = new URL(`../../client/demo/editors/${name}/${name}.ts`, import.meta.url)
    const source = await readFile(file, 'utf8').catch(() => readFile(`${file.pathname}x`, 'utf8'))
    expect(source.split('\n').length - 1, name).toBeLessThan(60)
  }
})

describe.each(EDITORS)('$name', (editor) => {
  it('two people edit together, see each other, reload, and undo only what is their own', async () => {
    const { ws } = await startServer()
    const ada = await openEditor(harness, pages, editor, { server: ws, person: 'Ada' })
    await expect.poll(ada.status).not.toBe('Connecting…')
    await ada.field.click()
    await ada.page.keyboard.insertText('Minutes. ')
    await expect.poll(ada.status).toBe('Safe on the server’s disk')
    await ada.page.reload()
    await expect.poll(ada.text).toBe('Minutes. ')
    const grace = await openEditor(harness, pages, editor, { server: ws, person: 'Grace' })
    await expect.poll(grace.text).toBe('Minutes. ')

    const bothShow = async (text: string) => {
      await expect.poll(ada.text).toBe(text)
      await expect.poll(grace.text).toBe(text)
    }
    await ada.field.click()
    await ada.page.keyboard.press('End')
    await ada.page.keyboard.insertText('Ada was here. ')
    await bothShow('Minutes. Ada was here. ')
    await grace.field.click()
    await grace.page.keyboard.press('End')
    await grace.page.keyboard.insertText('So was Grace.')
    await bothShow('Minutes. Ada was here. So was Grace.')
    // Into the midst of what Ada wrote.
    await grace.page.keyboard.press('Home')
    for (let step = 0; step < 'Minutes. Ada '.length; step++) await grace.page.keyboard.press('ArrowRight')
    await grace.page.keyboard.insertText('(hello!)')
    await bothShow('Minutes. Ada (hello!)was here. So was Grace.')

    await expect.poll(ada.carets).toEqual(['Grace'])
    await expect.poll(grace.carets).toEqual(['Ada'])
    await expect.poll(() => ada.caretOffBy('Minutes. Ada (hello!)'.length)).toBeLessThan(4)
    for (const { page } of [ada, grace])
      await expect
        .poll(() => page.getByRole('list', { name: 'Also here' }).textContent())
        .toMatch(/^Ada$|^Grace$/)
    await expect.poll(ada.status).toBe('Safe on the server’s disk')
    await expect.poll(grace.status).toBe('Safe on the server’s disk')

    await ada.page.keyboard.press('Control+Z')
    await bothShow('Minutes. (hello!)So was Grace.')
    // There is nothing more: what is left isn't hers, or is from before she came.
    await ada.page.keyboard.press('Control+Z')
    await ada.page.keyboard.press('Control+Shift+Z')
    await bothShow('Minutes. Ada (hello!)was here. So was Grace.')
    // Both of her edits, if they were quick.
    await grace.page.keyboard.press('Control+Z')
    await expect.poll(ada.text).toMatch(/^Minutes. Ada was here. (So was Grace.)?$/)

    await expect.poll(ada.status).toBe('Safe on the server’s disk')
    await expect.poll(grace.status).toBe('Safe on the server’s disk')
    const left = await ada.text()
    await ada.page.reload()
    await expect.poll(ada.text).toBe(left)
  })

  it('who may only read sees everything and can change nothing', async () => {
    const { ws } = await startServer({
      authorize: ({ headers: { cookie = '' } }) => ({
        user: cookie,
        access: cookie === 'person=Reader' ? 'read' : 'write',
      }),
    })
    const writer = await openEditor(harness, pages, editor, { server: ws, person: 'Writer' })
    await expect.poll(writer.status).not.toBe('Connecting…')
    await writer.field.click()
    await writer.page.keyboard.insertText('Minutes. ')
    const reader = await openEditor(harness, pages, editor, { server: ws, person: 'Reader' })
    await expect.poll(reader.text).toBe('Minutes. ')
    await expect.poll(reader.status).toBe('Read only')
    await reader.field.click()
    await reader.page.keyboard.press('End')
    await reader.page.keyboard.insertText('graffiti')
    await reader.page.keyboard.press('Backspace')
    await writer.page.keyboard.insertText('Next.')
    await expect.poll(reader.text).toBe('Minutes. Next.')
    expect(await reader.status()).toBe('Read only')
    await expect.poll(writer.text).toBe('Minutes. Next.')
  })

  it('who may no longer write can change nothing, and can again without a reload', async () => {
    const data = await tempDir()
    let adaMay: Access = 'write'
    const authorize: ServerOptions['authorize'] = ({ headers: { cookie = '' } }) => ({
      user: cookie,
      access: cookie === 'person=Ada' ? adaMay : 'write',
    })
    let { server, ws } = await startServer({ data, authorize })
    const port = Number(new URL(ws).port)
    const reconnect = async () => {
      await server.close()
      server = (await startServer({ data, authorize, port })).server
    }
    const ada = await openEditor(harness, pages, editor, { server: ws, person: 'Ada' })
    const grace = await openEditor(harness, pages, editor, { server: ws, person: 'Grace' })
    const bothShow = async (text: string) => {
      await expect.poll(ada.text).toBe(text)
      await expect.poll(grace.text).toBe(text)
    }
    await expect.poll(ada.status).not.toBe('Connecting…')
    await ada.field.click()
    await ada.page.keyboard.insertText('Minutes. ')
    await bothShow('Minutes. ')

    adaMay = 'read'
    await reconnect()
    await expect.poll(ada.status).toBe('Read only')
    await expect.poll(grace.status).toBe('Safe on the server’s disk')
    await ada.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await ada.page.evaluate(() => navigator.clipboard.writeText('pasted'))
    // The focus is where it was.
    for (let time = 0; time < 2; time++) {
      await ada.page.keyboard.insertText('graffiti')
      for (const key of ['x', 'Enter', 'Tab', 'Backspace', 'Delete', 'Control+B', 'Control+Z', 'Control+Y'])
        await ada.page.keyboard.press(key)
      await ada.page.keyboard.press('Control+Shift+Z')
      await ada.page.keyboard.press('Control+V')
      await ada.page.keyboard.press('Control+A')
      await ada.page.keyboard.press('Control+X')
      await ada.ime.compose('n')
      await ada.ime.commit('你')
      await ada.field.click()
    }
    await grace.field.click()
    await grace.page.keyboard.press('End')
    await grace.page.keyboard.insertText('Next.')
    await bothShow('Minutes. Next.')
    expect(await ada.status()).toBe('Read only')

    adaMay = 'write'
    await reconnect()
    await expect.poll(ada.status).toBe('Safe on the server’s disk')
    await ada.field.click()
    await ada.page.keyboard.press('End')
    await ada.page.keyboard.insertText(' Again.')
    await bothShow('Minutes. Next. Again.')
    for (const { errors } of [ada, grace]) forgiveOutage(errors)
  })

  it('what is written while the server is away is merged when it is back', async () => {
    const data = await tempDir()
    const first = await serveProcess(data)
    const ada = await openEditor(harness, pages, editor, { server: first.ws, person: 'Ada' })
    await expect.poll(ada.status).not.toBe('Connecting…')
    await ada.field.click()
    await ada.page.keyboard.insertText('Minutes. ')
    await expect.poll(ada.status).toBe('Safe on the server’s disk')
    const grace = await openEditor(harness, pages, editor, { server: first.ws, person: 'Grace' })
    await expect.poll(grace.text).toBe('Minutes. ')
    first.child.kill('SIGKILL')
    await first.exited
    for (const { status } of [ada, grace]) await expect.poll(status).toBe('Connecting…')

    await ada.page.keyboard.press('Home')
    await ada.page.keyboard.insertText('Old ')
    await grace.field.click()
    await grace.page.keyboard.press('End')
    await grace.page.keyboard.insertText('The end.')
    expect([await ada.text(), await grace.text()]).toEqual(['Old Minutes. ', 'Minutes. The end.'])
    await serveProcess(data, { port: first.port })
    for (const { text } of [ada, grace]) await expect.poll(text).toBe('Old Minutes. The end.')
    for (const { status } of [ada, grace]) await expect.poll(status).toBe('Safe on the server’s disk')
    await expect.poll(ada.carets).toEqual(['Grace'])
    await expect.poll(grace.carets).toEqual(['Ada'])
    for (const { errors } of [ada, grace]) forgiveOutage(errors)
  })
})

it('lexical begins a document with one paragraph, however many open it at the same moment', async () => {
  const { ws } = await startServer()
  const lexical = EDITORS.find(({ name }) => name === 'lexical') as Editor
  const everybody = await Promise.all(
    ['Ada', 'Grace', 'Alan'].map((person) => openEditor(harness, pages, lexical, { server: ws, person })),
  )
  for (const { status } of everybody) await expect.poll(status).toBe('Safe on the server’s disk')
  const [ada] = everybody
  await ada?.field.click()
  await ada?.page.keyboard.insertText('Minutes.')
  for (const { text, page } of everybody) {
    await expect.poll(text).toBe('Minutes.')
    expect(await page.locator('[contenteditable] > p').count()).toBe(1)
  }
})

/** Takes out what a browser logs when a server is away. */
const forgiveOutage = (errors: string[]): void => {
  const others = errors.filter((error) => !/^WebSocket connection to .* failed/.test(error))
  errors.splice(0, errors.length, ...others)
}
