import { describe, expect, it } from 'vitest'
import { startFlakyServer, useOffline } from '../support/offline.js'

const { tab, profile } = useOffline()
const many = (letter: string, count: number) => Array.from({ length: count }, () => letter).join('')

/** Types letter by letter, a turn of the event loop each. */
const typeLetters = async (letters: string): Promise<void> => {
  for (const letter of letters) {
    text.insert(text.length, letter)
    await new Promise((resolve) => setTimeout(resolve))
  }
}

/** As in a page without TLS. */
const withoutLocks = () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })

describe('several tabs with one document on the device', () => {
  it.each([
    ['', undefined],
    [', without locks', withoutLocks],
  ])('store side by side, and nothing is lost when stored updates are put together%s', async (_, before) => {
    const server = await startFlakyServer()
    await server.stop()
    const context = await profile()
    const tabs = [await tab(context, before), await tab(context, before)]
    // They don't hear of each other: each has in memory only what it wrote.
    for (const each of tabs) await each.join(server.ws, 'notes', { disableBc: true, connect: false })
    await Promise.all(tabs.map(({ page }, index) => page.evaluate(typeLetters, many('ab'[index] ?? '', 700))))
    for (const each of tabs) await each.stored()
    const counted = async () => (await tabs[0]?.updates())?.count ?? 0
    await expect.poll(counted).toBeLessThan(1_000)
    for (const each of tabs) await each.close()

    const third = await tab(context, before)
    const { text: found, pending } = await third.join(server.ws, 'notes')
    expect(found).toHaveLength(1_400)
    expect(found.replaceAll('a', '')).toBe(many('b', 700))
    expect(pending).toBeGreaterThanOrEqual(700)
  })

  it('put together what outgrew the rest, once, and what each of them wrote is sent', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const [a, b] = [await tab(context), await tab(context)]
    await a.join(server.ws, 'notes')
    await b.join(server.ws, 'notes')
    await a.page.evaluate(typeLetters, many('a', 600))
    await expect.poll(async () => (await b.state()).text.length).toBe(600)
    await b.page.evaluate(typeLetters, many('b', 600))
    await Promise.all([a.saved(), b.saved()])
    await expect.poll(async () => (await a.updates()).count, { timeout: 10_000 }).toBeLessThan(700)
    await a.close()
    // The next of them takes over.
    await b.page.evaluate(typeLetters, many('b', 600))
    await b.saved()
    await expect.poll(async () => (await b.updates()).count, { timeout: 10_000 }).toBeLessThan(700)
    await b.close()
    await server.stop()
    const third = await tab(context)
    expect((await third.join(server.ws, 'notes')).text).toHaveLength(1_800)
  })

  it('delete it from the device: the others stop storing it, go on with the server, and leave nothing behind', async () => {
    const server = await startFlakyServer()
    const context = await profile()
    const [a, b] = [await tab(context), await tab(context)]
    await a.join(server.ws, 'notes')
    await a.type('hello')
    await a.saved()
    await b.join(server.ws, 'other')
    expect(await b.page.evaluate(() => device.documentsOnDevice())).toHaveLength(2)
    await b.page.evaluate((url) => device.deleteFromDevice(url, 'notes'), server.ws)
    const left = await b.page.evaluate(() => device.documentsOnDevice())
    expect(left.map(({ key }) => key)).toEqual([`${server.ws}/other`])
    await a.type(' world')
    await expect.poll(async () => (await a.state()).devices.at(-1)).toBe('failed INKWIRE_DEVICE_FORGOTTEN')
    await a.saved()
    await a.close()
    await b.close()
    const third = await tab(context)
    expect((await third.updates()).count).toBe(0)
    await server.stop()
    expect((await third.join(server.ws, 'notes')).text).toBe('')
  })

  it('list what is unsaved, and delete everything', async () => {
    const server = await startFlakyServer()
    await server.stop()
    const context = await profile()
    const [a, b] = [await tab(context), await tab(context)]
    await a.join(server.ws, 'notes')
    await a.type('hello')
    await a.stored()
    expect(await b.page.evaluate(() => device.documentsOnDevice())).toEqual([
      { key: `${server.ws}/notes`, generation: null, unsaved: 1 },
    ])
    await b.page.evaluate(() => device.deleteAllFromDevice())
    expect(await b.page.evaluate(() => device.documentsOnDevice())).toEqual([])
    await a.type('!')
    await expect.poll(async () => (await a.state()).devices.at(-1)).toBe('failed INKWIRE_DEVICE_FORGOTTEN')
    expect((await a.state()).status).toBe('device')
  })
})
