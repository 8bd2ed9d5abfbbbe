import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

describe('textarea 1: what is typed is compared with what was rendered last', () => {
  it('lands where it was typed, also inside a run of one letter', async () => {
    const { page, state } = await open({ text: 'aaaa' })
    await page.evaluate(() => field.setSelectionRange(1, 1))
    await page.keyboard.type('a')
    expect(await state()).toEqual({ value: 'aaaaa', shared: 'aaaaa', selection: [2, 2] })
    expect(await page.evaluate(() => transactions)).toEqual([
      { own: true, delta: [{ retain: 1 }, { insert: 'a' }] },
    ])
  })

  it('is one transaction per input event, its origin the binding', async () => {
    const { page, state } = await open({ text: 'one two three' })
    await page.evaluate(() => field.setSelectionRange(4, 7))
    await page.keyboard.insertText('2')
    expect(await state()).toEqual({ value: 'one 2 three', shared: 'one 2 three', selection: [5, 5] })
    expect(await page.evaluate(() => transactions)).toEqual([
      { own: true, delta: [{ retain: 4 }, { delete: 3 }, { insert: '2' }] },
    ])
  })
})

describe('textarea 5: nothing is written to an element that composes', () => {
  it('keeps remote edits until the composition has ended', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => field.setSelectionRange(1, 1))
    await ime.compose('n')
    await page.evaluate(() => remote.insert(0, 'XX'))
    expect(await state()).toMatchObject({ value: 'anb', shared: 'XXanb' })
    await ime.compose('ni')
    await ime.commit('你')
    await settled()
    expect(await state()).toEqual({ value: 'XXa你b', shared: 'XXa你b', selection: [4, 4] })
  })
})
