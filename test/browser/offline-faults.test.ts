import { describe, expect, it } from 'vitest'
import { startFlakyServer, useOffline } from '../support/offline.js'

const pages = useOffline()
const { tab, profile } = pages

/** 300 KB that don't compress. */
const big = () => {
  const letters = Array.from({ length: 300_000 }, () => String.fromCharCode(33 + Math.random() * 90))
  text.insert(text.length, letters.join(''))
}

describe('a device that doesn’t take the document', () => {
  it('because it is full: says so, edits go on, and everything is stored once there is room', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const first = await tab(context)
    const devtools = await context.newCDPSession(first.page)
    // Before anything is stored: what is left is looked up now and then only.
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: pages.origin, quotaSize: 500_000 })
    await first.join(server.ws, 'notes')
    await first.type('before ')
    await first.stored()
    await first.saved()
    await server.stop()
    for (let round = 0; round < 3; round++) await first.page.evaluate(big)
    await expect.poll(async () => (await first.state()).devices.at(-1)).toBe('failed INKWIRE_DEVICE_FULL')
    await first.type(' meanwhile')
    expect(await first.state()).toMatchObject({ status: 'device', device: 'failed' })
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: pages.origin })
    await expect.poll(async () => (await first.state()).device, { timeout: 20_000 }).toBe('stored')
    const { text: written } = await first.state()
    await first.close()
    const second = await tab(context)
    const opened = await second.join(server.ws, 'notes')
    expect(opened.text).toBe(written)
    expect(opened.text).toHaveLength(900_017)
    expect(opened.status).toBe('device')
  })

  const nothing = () => Object.defineProperty(window, 'indexedDB', { value: undefined })
  const forbidden = () =>
    Object.defineProperty(window, 'indexedDB', {
      get: () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      },
    })
  const refused = () => {
    IDBFactory.prototype.open = () => {
      const request = Object.assign(new EventTarget(), { error: new DOMException('no', 'InvalidStateError') })
      setTimeout(() => (request as unknown as IDBOpenDBRequest).onerror?.(new Event('error')))
      return request as unknown as IDBOpenDBRequest
    }
  }
  it.each([
    ['there is none', nothing],
    ['naming it throws', forbidden],
    ['opening it fails, as in private windows', refused],
  ])('because %s: one event, and the server has it all', async (_, before) => {
    const server = await startFlakyServer()
    const { join, type, saved, state, page } = await tab(await profile(), before)
    await join(server.ws, 'notes')
    await type('hello')
    await saved()
    expect(await state()).toMatchObject({
      text: 'hello',
      devices: ['failed INKWIRE_DEVICE_UNAVAILABLE'],
      status: 'saved',
    })
    expect(await page.evaluate(() => device.documentsOnDevice().catch(({ code }) => code))).toBe(
      'INKWIRE_DEVICE_UNAVAILABLE',
    )
  })

  it('because it never answers: the connection doesn’t wait for ever', async () => {
    const server = await startFlakyServer()
    const silent = () => {
      IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest
    }
    const { join, type, saved, state } = await tab(await profile(), silent)
    await join(server.ws, 'notes')
    await type('hello')
    await saved()
    expect((await state()).devices).toEqual(['failed INKWIRE_DEVICE_UNAVAILABLE'])
  })

  it('because another tab deletes the database: that one isn’t held up, this one says so', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const [a, b] = [await tab(context), await tab(context)]
    await a.join(server.ws, 'notes')
    await a.type('hello')
    await a.stored()
    const outcome = await b.page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const deleting = indexedDB.deleteDatabase('inkwire')
          deleting.onsuccess = () => resolve('deleted')
          deleting.onblocked = () => resolve('blocked')
        }),
    )
    expect(outcome).toBe('deleted')
    await expect.poll(async () => (await a.state()).devices.at(-1)).toBe('failed INKWIRE_DEVICE_FORGOTTEN')
    await a.type(' world')
    await a.saved()
    expect(await server.text('notes')).toBe('hello world')
  })

  it('because the user clears the site’s data', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const first = await tab(context)
    await first.join(server.ws, 'notes')
    await first.type('hello')
    await first.stored()
    const devtools = await context.newCDPSession(first.page)
    await devtools.send('Storage.clearDataForOrigin', { origin: pages.origin, storageTypes: 'indexeddb' })
    await expect
      .poll(async () => (await first.state()).devices.at(-1), { timeout: 10_000 })
      .toBe('failed INKWIRE_DEVICE_FORGOTTEN')
    await first.type(' world')
    await first.saved()
  })

  it('because the browser closes the connection: it is opened again, and nothing is missing', async () => {
    const server = await startFlakyServer()
    await server.stop()
    const context = await profile()
    const remember = () => {
      const { transaction } = IDBDatabase.prototype
      IDBDatabase.prototype.transaction = function (...args) {
        Object.assign(window, { database: this })
        return transaction.apply(this, args)
      }
    }
    const first = await tab(context, remember)
    await first.join(server.ws, 'notes')
    await first.type('a')
    await first.stored()
    await first.page.evaluate(() => {
      // What a phone's browser does to a page in the background.
      const { database } = window as unknown as { database: IDBDatabase }
      database.close()
      text.insert(text.length, 'b')
    })
    await expect.poll(async () => (await first.state()).devices).toContain('failed INKWIRE_DEVICE_FAILED')
    await first.page.evaluate(() => {
      const { database } = window as unknown as { database: IDBDatabase }
      database.onclose?.(new Event('close'))
    })
    await first.type('c')
    await expect.poll(async () => (await first.state()).device, { timeout: 10_000 }).toBe('stored')
    await first.close()
    const second = await tab(context)
    expect((await second.join(server.ws, 'notes')).text).toBe('abc')
  })

  it('because a newer version of it is in use', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const [a, b] = [await tab(context), await tab(context)]
    await a.join(server.ws, 'notes')
    await a.type('hello')
    await a.stored()
    await b.page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          indexedDB.open('inkwire', 99).onsuccess = () => resolve()
        }),
    )
    await expect.poll(async () => (await a.state()).devices.at(-1)).toBe('failed INKWIRE_DEVICE_UNAVAILABLE')
    const c = await tab(context)
    await c.join(server.ws, 'notes')
    expect((await c.state()).devices).toEqual(['failed INKWIRE_DEVICE_UNAVAILABLE'])
    await c.type('!')
    await c.saved()
  })

  it('because it holds another generation than the app’s content is of', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const first = await tab(context)
    await first.join(server.ws, 'notes')
    await first.type('hello')
    await first.saved()
    await first.settled()
    await first.close()
    await server.stop()
    const second = await tab(context)
    const { text: found, devices } = await second.join(server.ws, 'notes', { generation: 'f'.repeat(32) })
    expect(found).toBe('')
    expect(devices).toEqual(['failed INKWIRE_DEVICE_CONFLICT'])
  })
})
