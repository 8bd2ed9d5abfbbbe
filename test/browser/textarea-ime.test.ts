import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

describe('textarea 5: nothing is written to an element that composes', () => {
  it('keeps remote edits until the composition has ended', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => field.setSelectionRange(1, 1))
    await ime.compose('n')
    await page.evaluate(() => remote.insert(0, 'XX'))
    expect(await state()).toMatchObject({ value: 'anb', shared: 'XXanb' })
    await ime.compose('ni')
    expect(await state()).toMatchObject({ value: 'anib', shared: 'XXanib' })
    await ime.commit('你')
    await settled()
    expect(await state()).toEqual({ value: 'XXa你b', shared: 'XXa你b', selection: [4, 4] })
  })

  it('holds what is composed until it is done, if asked to', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab', composition: 'hold' })
    await page.evaluate(() => field.setSelectionRange(1, 1))
    await ime.compose('n')
    await page.evaluate(() => remote.insert(0, 'XX'))
    await ime.compose('ni')
    expect(await state()).toMatchObject({ value: 'anib', shared: 'XXab' })
    await ime.commit('你')
    await settled()
    expect(await state()).toEqual({ value: 'XXa你b', shared: 'XXa你b', selection: [4, 4] })
  })

  it('moves what is composed past remote edits around it and inside it', async () => {
    const { page, ime, state, settled } = await open({ text: 'one two three' })
    await page.evaluate(() => field.setSelectionRange(4, 7)) // the composition replaces "two"
    await ime.compose('z')
    await page.evaluate(() => {
      remote.insert(0, 'zero ') // before
      remote.insert(remote.length, ' four') // behind
    })
    await ime.compose('zw')
    await page.evaluate(() => remote.delete(9, 1)) // the first letter that was composed
    await ime.compose('zwei')
    await ime.commit('zwei')
    await settled()
    // What the colleague deleted stays deleted; what was composed since is there.
    expect(await state()).toEqual({
      value: 'zero one wei three four',
      shared: 'zero one wei three four',
      selection: [12, 12],
    })
  })

  it('keeps what a colleague put inside a word that is deleted by composing', async () => {
    const { page, ime, state, settled } = await open({ text: 'a word b', composition: 'hold' })
    await page.evaluate(() => field.setSelectionRange(2, 6))
    await ime.compose('x')
    await page.evaluate(() => remote.insert(4, 'NEW'))
    await ime.commit('x')
    await settled()
    const { value, shared } = await state()
    expect(shared).toBe(value)
    expect(value).toMatch(/^a (xNEW|NEWx) b$/)
  })

  it('takes up nothing when the composition is cancelled', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => field.setSelectionRange(1, 1))
    await ime.compose('n')
    await page.evaluate(() => remote.insert(2, 'X'))
    await ime.cancel()
    await settled()
    expect(await state()).toEqual({ value: 'aXb', shared: 'aXb', selection: [1, 1] })
  })

  it('shows what waited when the element loses the focus', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => field.setSelectionRange(2, 2))
    await ime.compose('n')
    await page.evaluate(() => {
      remote.insert(0, 'X')
      field.blur()
    })
    await settled()
    expect(await state()).toMatchObject({ value: 'Xabn', shared: 'Xabn' })
  })

  it('goes on after an element was taken away while it composed', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => field.setSelectionRange(2, 2))
    await ime.compose('n')
    await page.evaluate(() => {
      remote.insert(0, 'X')
      field.remove()
      remote.insert(0, 'Y')
      document.body.append(field)
    })
    await settled()
    expect(await state()).toMatchObject({ value: 'YXabn', shared: 'YXabn' })
  })

  it('goes on where an input method says nothing at its end', async () => {
    const { page, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => {
      field.dispatchEvent(new CompositionEvent('compositionstart'))
      remote.insert(0, 'X')
    })
    expect(await state()).toMatchObject({ value: 'ab', shared: 'Xab' })
    await page.evaluate(() => field.blur())
    await settled()
    expect(await state()).toMatchObject({ value: 'Xab', shared: 'Xab' })
    await page.evaluate(() => {
      field.focus()
      field.dispatchEvent(new CompositionEvent('compositionstart'))
      field.remove()
      remote.insert(0, 'Y')
    })
    expect(await state(), 'at once: what is not in the page does not compose').toMatchObject({
      value: 'YXab',
    })
  })

  it('finds the place even if an observer writes while remote changes come in', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => {
      binding.destroy()
      text.observe(() => {
        const at = text.toString().indexOf('--')
        if (at < 0) return
        text.doc?.transact(() => {
          text.insert(at, '—')
          text.delete(at + 1, 2)
        }, 'app')
      })
      bindTextarea(text, field)
      field.setSelectionRange(2, 2)
    })
    await ime.compose('n')
    await page.evaluate(() => remote.insert(0, '--'))
    await ime.compose('ni')
    await ime.commit('你')
    await settled()
    expect(await state()).toEqual({ value: '—ab你', shared: '—ab你', selection: [4, 4] })
  })

  it('goes on after an app has ended the composition without a word', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => field.setSelectionRange(2, 2))
    await ime.compose('n')
    await page.evaluate(() => {
      field.value = 'abn!'
      remote.insert(0, 'X')
    })
    await page.keyboard.type('c')
    await settled()
    expect(await state()).toMatchObject({ value: 'Xabn!c', shared: 'Xabn!c' })
  })

  it('composes one word after the other with edits in between', async () => {
    const { page, ime, state, settled } = await open({ text: '' })
    for (const [step, word] of ['にほん', 'ご', 'です'].entries()) {
      await ime.compose('x')
      await page.evaluate((n) => remote.insert(0, String(n)), step)
      await ime.commit(word)
      if (step === 1) await settled()
    }
    await settled()
    expect(await state()).toEqual({
      value: '210にほんごです',
      shared: '210にほんごです',
      selection: [9, 9],
    })
  })

  it('leaves undo alone while composing', async () => {
    const { page, ime, state, settled } = await open({ text: '' })
    await page.keyboard.type('a')
    await ime.compose('n')
    await page.evaluate(() => {
      const undo = { inputType: 'historyUndo', cancelable: true, bubbles: true }
      field.dispatchEvent(new InputEvent('beforeinput', undo))
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'z', ctrlKey: true, cancelable: true }))
    })
    expect(await state()).toMatchObject({ value: 'an', shared: 'an' })
    await ime.commit('你')
    await settled()
    await page.keyboard.press('Control+Z')
    expect(await state()).toMatchObject({ value: '', shared: '' })
  })

  it('takes up a value set before the composition', async () => {
    const { page, ime, state, settled } = await open({ text: 'ab' })
    await page.evaluate(() => {
      field.value = 'abc'
    })
    await ime.compose('n')
    await ime.commit('你')
    await settled()
    expect(await state()).toMatchObject({ value: 'abc你', shared: 'abc你' })
    expect(await page.evaluate(() => transactions[0]?.delta)).toEqual([{ retain: 2 }, { insert: 'c' }])
  })
})
