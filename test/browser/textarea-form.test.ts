import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

const form =
  '<form id="form"><textarea id="field">default</textarea><button type="reset" id="clear">Reset</button></form>'

describe('textarea 8: maxlength limits the user, not the others', () => {
  it('shows longer remote text whole, says so, and lets the user shorten it', async () => {
    const { page, state } = await open({ html: '<textarea id="field" maxlength="5"></textarea>' })
    await page.keyboard.type('abcdefgh')
    expect(await state()).toMatchObject({ value: 'abcde', shared: 'abcde' })
    expect(await page.evaluate(() => binding.tooLong)).toBe(false)
    await page.evaluate(() => remote.insert(0, 'XYZ'))
    expect(await state()).toMatchObject({ value: 'XYZabcde', shared: 'XYZabcde', selection: [8, 8] })
    expect(await page.evaluate(() => binding.tooLong)).toBe(true)
    await page.keyboard.type('!')
    expect(await state()).toMatchObject({ value: 'XYZabcde', shared: 'XYZabcde' })
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    expect(await state()).toMatchObject({ value: 'XYZab', shared: 'XYZab' })
    expect(await page.evaluate(() => binding.tooLong)).toBe(false)
  })

  it('is up to date in an observer of the text', async () => {
    const { page } = await open({ html: '<textarea id="field" maxlength="2"></textarea>' })
    const seen = await page.evaluate(() => {
      const seen: boolean[] = []
      text.observe(() => seen.push(binding.tooLong))
      remote.insert(0, 'ab')
      remote.insert(0, 'c')
      remote.delete(0, 1)
      return seen
    })
    expect(seen).toEqual([false, true, false])
  })
})

describe('textarea 9: a reset of the form', () => {
  it('by its button shows the shared text again', async () => {
    const { page, state, settled } = await open({ html: form, text: 'shared' })
    await page.click('#clear')
    await settled()
    expect(await state()).toMatchObject({ value: 'shared', shared: 'shared' })
    expect(await page.evaluate(() => transactions)).toEqual([])
  })

  it('by a script shows the shared text again', async () => {
    const { page, state, settled } = await open({ html: form, text: 'shared' })
    await page.evaluate(() => (document.getElementById('form') as HTMLFormElement).reset())
    await settled()
    expect(await state()).toMatchObject({ value: 'shared', shared: 'shared' })
  })

  it('writes nothing, not even when a remote edit comes in between', async () => {
    const { page, state, settled } = await open({ html: form, text: 'shared' })
    await page.evaluate(() => {
      ;(document.getElementById('form') as HTMLFormElement).reset()
      remote.insert(0, 'X')
    })
    expect(await state()).toMatchObject({ value: 'Xshared', shared: 'Xshared' })
    await settled()
    expect(await state()).toMatchObject({ value: 'Xshared', shared: 'Xshared' })
  })

  it('ends a composition', async () => {
    const { page, ime, state, settled } = await open({ html: form, text: 'shared' })
    await ime.compose('n')
    await page.evaluate(() => (document.getElementById('form') as HTMLFormElement).reset())
    await settled()
    await page.evaluate(() => remote.insert(0, 'X'))
    expect(await state()).toMatchObject({ value: 'Xnshared', shared: 'Xnshared' })
  })

  it('makes the default value the shared text if the app wants that', async () => {
    const { page, state, settled } = await open({ html: form, text: 'shared', reset: 'apply' })
    await page.click('#clear')
    await settled()
    expect(await state()).toMatchObject({ value: 'default', shared: 'default' })
    await page.evaluate(() => binding.undoManager.undo())
    expect(await state()).toMatchObject({ value: 'shared', shared: 'shared' })
  })

  it('is heard in a shadow tree, for a form of another place, and after the element was moved', async () => {
    const { page, state, settled } = await open({ html: `${form}<div id="host"></div>`, text: 'shared' })
    await page.evaluate(() => {
      const root = document.getElementById('host')?.attachShadow({ mode: 'open' })
      const moved = document.getElementById('form') as HTMLFormElement
      root?.append(moved)
      field.focus()
    })
    await page.keyboard.type('!')
    await page.evaluate(() => field.form?.reset())
    await settled()
    expect(await state()).toMatchObject({ value: '!shared', shared: '!shared' })
    await page.evaluate(() => {
      document.body.innerHTML = '<form id="other"></form>'
      field.setAttribute('form', 'other')
      document.body.append(field)
      remote.insert(0, '?')
      field.form?.reset()
    })
    await settled()
    expect(await state()).toMatchObject({ value: '?!shared', shared: '?!shared' })
  })
})

describe('textarea 10: a value set by a script', () => {
  it('through the binding is one step that can be undone, and writes only what differs', async () => {
    const { page, state } = await open({ text: 'one two three' })
    await page.keyboard.press('End')
    await page.keyboard.type('!')
    await page.evaluate(() => {
      field.setSelectionRange(8, 13)
      binding.setValue('one 2 three!')
    })
    expect(await state()).toEqual({ value: 'one 2 three!', shared: 'one 2 three!', selection: [6, 11] })
    await page.keyboard.type('3') // replaces "three"; a step of its own
    await page.keyboard.press('Control+Z')
    await page.keyboard.press('Control+Z')
    expect(await state()).toMatchObject({ value: 'one two three!', shared: 'one two three!' })
    expect(await page.evaluate(() => transactions[1])).toEqual({
      own: true,
      delta: [{ retain: 4 }, { delete: 3 }, { insert: '2' }],
    })
  })

  it('on the element is taken up before the next input', async () => {
    const { page, state } = await open({ text: 'abc' })
    await page.evaluate(() => {
      field.value = 'abcd'
      field.setSelectionRange(1, 1)
    })
    await page.keyboard.type('x')
    expect(await state()).toEqual({ value: 'axbcd', shared: 'axbcd', selection: [2, 2] })
    expect(await page.evaluate(() => transactions.map((each) => each.delta))).toEqual([
      [{ retain: 3 }, { insert: 'd' }],
      [{ retain: 1 }, { insert: 'x' }],
    ])
  })

  it('on the element is taken up before a remote edit', async () => {
    const { page, state } = await open({ text: 'abc' })
    await page.evaluate(() => {
      field.value = 'abcd'
      remote.insert(0, 'X')
    })
    expect(await state()).toMatchObject({ value: 'Xabcd', shared: 'Xabcd' })
  })

  it('works as ever: the property is the browser’s', async () => {
    const { page } = await open({ text: 'abc' })
    expect(await page.evaluate(() => Object.getOwnPropertyNames(field))).toEqual([])
  })
})
