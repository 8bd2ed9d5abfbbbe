/** The own cursor in a textarea, as others are told of it. */
import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

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
