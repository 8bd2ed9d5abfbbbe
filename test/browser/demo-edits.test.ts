import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { useBrowser } from '../support/browser.js'
import { ON_DEVICE, openDemo } from '../support/demo.js'
import { serveProcess, startServer } from '../support/inkwire.js'
import { tempDir } from '../support/temp.js'
import { until } from '../support/until.js'

const harness = useBrowser()
const serve = () => startServer({ demo: true })

const others = (page: Page) => page.getByRole('list', { name: 'Also here' }).getByRole('listitem')

describe('edits that are not safe', () => {
  it('are sent from a document that is no longer shown', async () => {
    const data = await tempDir()
    const server = await serveProcess(data)
    const a = await openDemo(harness, server.url)
    await a.safe()
    server.child.kill('SIGKILL')
    await a.says('Server not reachable')
    await a.field.pressSequentially('kept')
    await a.create('plain')
    await a.shows('')
    const elsewhere = a.page.locator('#detail', { hasText: '4 edits to other documents' })
    await elsewhere.waitFor()

    const again = await serveProcess(data, { port: server.port })
    await a.says('Connected')
    await elsewhere.waitFor({ state: 'detached' })
    const b = await openDemo(harness, again.url)
    await b.shows('kept')
    await a.page.goBack()
    await a.shows('kept')
    for (const { page } of [a, b]) await page.close()
    a.forgiveOutage()
  })

  it('make the browser ask before the window closes, where it keeps nothing itself, and only they', async () => {
    const server = await serveProcess(await tempDir())
    const a = await openDemo(harness, server.url, { keepsNothing: true })
    const asked: string[] = []
    a.page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      void dialog.accept()
    })
    await a.field.pressSequentially('safe')
    await a.safe()
    await a.page.reload()
    await a.safe()
    expect(asked).toEqual([])

    server.child.kill('SIGKILL')
    await a.says('Server not reachable')
    await a.field.pressSequentially('not safe')
    expect(await a.claim()).toBe(ON_DEVICE)
    expect(await a.page.locator('#detail').textContent()).toContain('Leave it open')
    await a.page.close({ runBeforeUnload: true })
    await until('the browser asked', () => asked.length > 0)
    expect(asked).toEqual(['beforeunload'])
    a.forgiveOutage()
  })

  it('are kept by the browser, and sent when it opens the page again, whichever document that shows', async () => {
    const { url } = await serve()
    const a = await openDemo(harness, `${url}/#/left`)
    await a.says('Connected')
    await a.page.getByRole('switch', { name: 'Work offline' }).click()
    await a.field.pressSequentially('typed alone')
    await a.page.locator('#detail', { hasText: 'only in this browser' }).waitFor()
    const { page } = await harness.newPage(a.page.context())
    await until('the window closes, since the browser has it all', async () => {
      await a.page.close({ runBeforeUnload: true }).catch((error: unknown) => {
        // It may just have followed the last attempt.
        if (!a.page.isClosed()) throw error
      })
      return a.page.isClosed()
    })

    await page.goto(`${url}/#/another`)
    await page.getByText('Connected').waitFor()
    const b = await openDemo(harness, `${url}/#/left`)
    await b.shows('typed alone')
    await others(b.page).first().waitFor({ state: 'detached' })
  })

  it('that the server refuses, since it has another history, can be given up for what it has', async () => {
    const { server, url } = await serve()
    const a = await openDemo(harness, url)
    await a.field.pressSequentially('old')
    await a.safe()
    const other = new Y.Doc()
    other.getText('text').insert(0, 'another')
    await server.documents.replace('welcome', Y.encodeStateAsUpdate(other))
    await a.says('The document was replaced')
    expect(await a.field.inputValue()).toBe('old')
    await a.page.getByRole('button', { name: 'Take the server’s' }).click()
    await a.shows('another')
    await a.field.press('End')
    await a.field.pressSequentially(' one')
    await a.safe()
  })
})
