import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { Access } from '../../server/index.js'
import { startFlakyServer, useOffline } from '../support/offline.js'

const { tab, profile } = useOffline()

describe('a document that is kept on the device', () => {
  it('opens from there without a server, and claims nothing about it', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const first = await tab(context)
    await first.join(server.ws, 'notes')
    await first.type('hello')
    await first.saved()
    const { generation } = await first.state()
    expect(generation).toMatch(/^[0-9a-f]{32}$/)
    await first.settled()
    await first.close()
    await server.stop()

    const second = await tab(context)
    expect(await second.join(server.ws, 'notes')).toMatchObject({
      text: 'hello',
      status: 'unknown',
      pending: 0,
      generation,
      device: 'stored',
    })
    await server.restart()
    await second.saved()
    expect((await second.state()).text).toBe('hello')
  })

  it('keeps an offline edit and its age over the end of the page, and saves it when the server is back', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const first = await tab(context)
    await first.join(server.ws, 'notes')
    await first.type('online ')
    await first.saved()
    await server.stop()
    const before = await first.page.evaluate(() => Date.now())
    await first.type('offline')
    await first.stored()
    const after = await first.page.evaluate(() => Date.now())
    await first.close()

    const second = await tab(context)
    const opened = await second.join(server.ws, 'notes')
    expect(opened).toMatchObject({ text: 'online offline', status: 'device' })
    expect(opened.pending).toBeGreaterThanOrEqual(1)
    expect(opened.oldestPending).toBeGreaterThanOrEqual(before)
    expect(opened.oldestPending).toBeLessThanOrEqual(after)
    // Another page, still without a server: nothing is forgotten, nothing adds up.
    await second.close()
    const third = await tab(context)
    expect(await third.join(server.ws, 'notes')).toMatchObject({
      status: 'device',
      pending: opened.pending,
      oldestPending: opened.oldestPending,
    })
    expect((await third.state()).saves).not.toContain('saved')

    await server.restart()
    await third.saved()
    expect(await third.state()).toMatchObject({ status: 'saved', pending: 0 })
    expect(await server.text('notes')).toBe('online offline')
    await third.settled()
    await third.close()
    await server.stop()
    const fourth = await tab(context)
    expect(await fourth.join(server.ws, 'notes')).toMatchObject({ text: 'online offline', pending: 0 })
  })

  it('keeps what its user may do: a reader’s field is read-only before the first keystroke, without a server, too', async () => {
    let access: Access = 'write'
    const server = await startFlakyServer({ authorize: () => ({ user: '', access }) })
    const context = await profile()
    const said = (page: Page) => page.evaluate(() => provider.access)
    const first = await tab(context)
    await first.join(server.ws, 'notes')
    await first.type('hello')
    await first.saved()
    for (const next of ['read', 'admin'] as const) {
      const online = await tab(context)
      await online.join(server.ws, 'notes')
      await server.stop()
      access = next
      await server.restart()
      await expect.poll(() => said(online.page)).toBe(next)
      await expect.poll(() => online.page.evaluate(accessOnDevice)).toBe(next)
      await first.close()
      await online.close()
      await server.stop()

      const offline = await tab(context)
      await offline.join(server.ws, 'notes')
      expect(await said(offline.page)).toBe(next)
      await offline.close()
      await server.restart()
    }
  })

  it('was never online: it is merged into what the server has', async () => {
    const server = await startFlakyServer()
    const [ada, grace] = [await profile(), await profile()]
    await server.stop()
    const away = await tab(ada)
    await away.join(server.ws, 'notes')
    await away.type('from the train. ')
    await away.stored()
    await away.close()
    await server.restart()
    const other = await tab(grace)
    await other.join(server.ws, 'notes')
    await other.type('from the office. ')
    await other.saved()
    const back = await tab(ada)
    expect((await back.join(server.ws, 'notes')).text).toContain('train')
    await back.saved()
    await expect.poll(async () => (await back.state()).text).toContain('office')
    await expect.poll(async () => (await other.state()).text).toContain('train')
  })

  it('of a generation that the server has replaced is never merged: 4409 (X2)', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const first = await tab(context)
    await first.join(server.ws, 'notes')
    await first.type('old')
    await first.saved()
    await first.settled()
    await first.close()
    await server.server.documents.delete('notes')
    const stranger = await tab(await profile())
    await stranger.join(server.ws, 'notes')
    await stranger.type('new')
    await stranger.saved()

    const second = await tab(context)
    expect((await second.join(server.ws, 'notes')).text).toBe('old')
    await expect.poll(async () => (await second.state()).closes).toEqual([4409])
    expect((await second.state()).text).toBe('old')
    expect((await second.state()).saves).not.toContain('saved')
    expect((await stranger.state()).text).toBe('new')
    // Edits go on, on this device, and still are of the old generation.
    await second.type('!')
    await second.stored()
    await second.close()
    const third = await tab(context)
    expect((await third.join(server.ws, 'notes')).text).toBe('old!')
    await expect.poll(async () => (await third.state()).closes).toEqual([4409])
    expect((await third.state()).pending).toBeGreaterThanOrEqual(1)
    expect((await stranger.state()).text).toBe('new')
  })

  it('holds the last letter when the page is killed right after it', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const first = await tab(context)
    await first.join(server.ws, 'notes')
    await first.stored()
    await server.stop()
    await first.type('a')
    await first.stored()
    const devtools = await context.newCDPSession(first.page)
    const dead = new Promise((resolve) => first.page.once('crash', resolve))
    // After this turn of the event loop the page never comes to anything again: no timer, no answer of the database.
    const typing = first.page.evaluate(() => {
      for (const letter of 'bcdefgh') text.insert(text.length, letter)
      console.log('typed')
      Promise.resolve()
        .then(() => {})
        .then(() => {
          for (const until = Date.now() + 20_000; Date.now() < until; );
        })
    })
    typing.catch(() => {})
    await first.page.waitForEvent('console', { predicate: (message) => message.text() === 'typed' })
    devtools.send('Page.crash').catch(() => {})
    await dead
    first.errors.length = 0
    await first.close()
    const second = await tab(context)
    const opened = await second.join(server.ws, 'notes')
    expect(opened).toMatchObject({ text: 'abcdefgh', status: 'device' })
    expect(opened.pending).toBeGreaterThanOrEqual(1)
  })

  it('holds edits that were made while it was being read, and content that was there before', async () => {
    const server = await startFlakyServer()
    await server.stop()
    const context = await profile()
    const first = await tab(context)
    await first.page.evaluate((url) => {
      joinOffline(url, 'notes')
      text.insert(0, 'early ')
    }, server.ws)
    await first.stored()
    await first.close()
    const second = await tab(context)
    expect(await second.join(server.ws, 'notes')).toMatchObject({ text: 'early ', status: 'device' })
  })

  it('lets the connection wait for it, and takes back a connect that was called off', async () => {
    const server = await startFlakyServer()
    const { page } = await tab(await profile())
    const wanted = await page.evaluate((url) => {
      joinOffline(url, 'notes')
      const seen = [provider.shouldConnect, provider.device.status]
      provider.disconnect()
      return [...seen, provider.shouldConnect]
    }, server.ws)
    expect(wanted).toEqual([true, 'loading', false])
    await page.evaluate(() => provider.whenLoaded)
    expect(await page.evaluate(() => provider.shouldConnect)).toBe(false)
    await page.evaluate(() => provider.connect())
    await page.evaluate(() => provider.whenSynced)
  })
})

/** Runs in the page: what the device has of the one document that is on it. */
const accessOnDevice = () =>
  new Promise<unknown>((resolve) => {
    const opening = indexedDB.open('inkwire')
    opening.onsuccess = () => {
      const reading = opening.result.transaction('documents').objectStore('documents').getAll()
      reading.onsuccess = () => {
        opening.result.close()
        resolve(reading.result[0]?.access)
      }
    }
  })
