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
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Delete')
    expect(await state()).toEqual({ value: 'aaa', shared: 'aaa', selection: [1, 1] })
    expect(await page.evaluate(() => transactions.slice(1))).toEqual([
      { own: true, delta: [{ retain: 1 }, { delete: 1 }] },
      { own: true, delta: [{ retain: 1 }, { delete: 1 }] },
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

  it('does not write to the element what came from it', async () => {
    const { page, state } = await open({ text: 'ab' })
    await page.evaluate(() => {
      field.setRangeText = () => console.error('written')
    })
    await page.keyboard.type('one\ntwo')
    expect(await state()).toMatchObject({ value: 'one\ntwoab', shared: 'one\ntwoab' })
  })

  it('takes a paste and a cut as one edit each', async () => {
    const { page, state } = await open({ text: 'ab ab ' })
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.evaluate(() => field.setSelectionRange(0, 3))
    await page.keyboard.press('Control+X')
    expect(await state()).toEqual({ value: 'ab ', shared: 'ab ', selection: [0, 0] })
    await page.keyboard.press('Control+V')
    await page.keyboard.press('Control+V')
    expect(await state()).toEqual({ value: 'ab ab ab ', shared: 'ab ab ab ', selection: [6, 6] })
    expect(await page.evaluate(() => transactions.map((each) => each.delta))).toEqual([
      [{ delete: 3 }],
      [{ insert: 'ab ' }],
      [{ retain: 3 }, { insert: 'ab ' }],
    ])
  })

  it('stays right when an observer of the text writes too', async () => {
    const { page, state } = await open({ text: 'ab' })
    await page.evaluate(() => {
      text.observe(() => {
        const at = text.toString().indexOf('--')
        if (at < 0) return
        text.doc?.transact(() => {
          text.insert(at, '—')
          text.delete(at + 1, 2)
        }, 'app')
      })
      field.setSelectionRange(1, 1)
    })
    await page.keyboard.type('--x')
    expect(await state()).toEqual({ value: 'a—xb', shared: 'a—xb', selection: [3, 3] })
    await page.evaluate(() => remote.insert(0, '--'))
    await page.keyboard.type('y')
    expect(await state()).toEqual({ value: '—a—xyb', shared: '—a—xyb', selection: [5, 5] })
  })

  it('shows an embedded object as one character', async () => {
    const { page, state } = await open({ text: 'ab' })
    await page.evaluate(() => {
      remote.insertEmbed(1, { image: 'x' })
      field.setSelectionRange(3, 3)
    })
    await page.keyboard.type('c')
    expect(await state()).toMatchObject({ value: 'a\ufffcbc', shared: 'abc' })
    await page.evaluate(() => field.setSelectionRange(2, 2))
    await page.keyboard.press('Backspace')
    expect(await state()).toEqual({ value: 'abc', shared: 'abc', selection: [1, 1] })
    expect(await page.evaluate(() => text.length)).toBe(3)
  })
})

describe('textarea 2: the input event is listened to, its data is not', () => {
  it('takes autofill, which comes without beforeinput and without an input type', async () => {
    const { page, state } = await open({ text: 'old', html: '<input id="field">' })
    await page.evaluate(() => {
      field.value = 'ada@example.org'
      field.dispatchEvent(new Event('input', { bubbles: true }))
    })
    expect(await state()).toMatchObject({ value: 'ada@example.org', shared: 'ada@example.org' })
  })

  it('takes a spelling correction whose range is hidden', async () => {
    const { page, state } = await open({ text: 'teh cat' })
    await page.evaluate(() => {
      field.setSelectionRange(7, 7)
      field.setRangeText('the', 0, 3, 'preserve')
      const data = { inputType: 'insertReplacementText', data: null, bubbles: true }
      field.dispatchEvent(new InputEvent('input', data))
    })
    expect(await state()).toEqual({ value: 'the cat', shared: 'the cat', selection: [7, 7] })
    expect(await page.evaluate(() => transactions)).toEqual([
      { own: true, delta: [{ retain: 1 }, { delete: 2 }, { insert: 'he' }] },
    ])
  })

  it('takes text dragged to another place', async () => {
    const { page, state } = await open({
      text: 'drag here',
      html: '<textarea id="field" style="font: 20px monospace; width: 500px"></textarea>',
    })
    await page.evaluate(() => field.setSelectionRange(0, 5))
    const box = await page.locator('#field').boundingBox()
    if (!box) throw new Error('not in sight')
    await page.mouse.move(box.x + 20, box.y + 12)
    await page.mouse.down()
    await page.mouse.move(box.x + 60, box.y + 12, { steps: 5 })
    await page.mouse.move(box.x + 300, box.y + 12, { steps: 5 })
    await page.mouse.up()
    const { value, shared } = await state()
    expect(value).toBe('heredrag ')
    expect(shared).toBe(value)
  })
})

describe('textarea 3: a surrogate pair is never cut', () => {
  it('replaces one emoji by another that shares half of it', async () => {
    const { page, state } = await open({ text: 'a😀b' })
    await page.evaluate(() => field.setSelectionRange(1, 3))
    await page.keyboard.insertText('😁')
    expect(await state()).toEqual({ value: 'a😁b', shared: 'a😁b', selection: [3, 3] })
    await page.evaluate(() => {
      remote.delete(1, 2)
      remote.insert(1, '😂')
    })
    expect(await state()).toMatchObject({ value: 'a😂b', shared: 'a😂b' })
    await page.evaluate(() => field.setSelectionRange(3, 3))
    await page.keyboard.press('Backspace')
    expect(await state()).toEqual({ value: 'ab', shared: 'ab', selection: [1, 1] })
  })

  it('shows half a pair at once as the others get it', async () => {
    const { page, state } = await open({ text: 'ab' })
    await page.evaluate(() => {
      field.setRangeText('\ud83d', 1, 1, 'end')
      field.dispatchEvent(new InputEvent('input', { inputType: 'insertFromPaste', bubbles: true }))
    })
    expect(await state()).toMatchObject({ value: 'a\ufffdb', shared: 'a\ufffdb' })
  })
})

describe('textarea 7: the value has LF only, the shared text keeps its line ends', () => {
  it('maps indices when there are CR LF', async () => {
    const { page, state } = await open({ text: 'one\r\ntwo\r\nthree' })
    await page.evaluate(() => field.setSelectionRange(7, 7))
    await page.keyboard.type('!')
    expect(await state()).toEqual({
      value: 'one\ntwo!\nthree',
      shared: 'one\r\ntwo!\r\nthree',
      selection: [8, 8],
    })
    await page.evaluate(() => remote.insert(5, '2 '))
    expect(await state()).toMatchObject({ value: 'one\n2 two!\nthree', selection: [10, 10] })
  })

  it('deletes a CR LF as the one line end it looks like, and types an LF', async () => {
    const { page, state } = await open({ text: 'a\r\nb\r\nc' })
    await page.evaluate(() => field.setSelectionRange(2, 2))
    await page.keyboard.press('Backspace')
    expect(await state()).toEqual({ value: 'ab\nc', shared: 'ab\r\nc', selection: [1, 1] })
    await page.keyboard.press('Enter')
    expect(await state()).toEqual({ value: 'a\nb\nc', shared: 'a\nb\r\nc', selection: [2, 2] })
  })

  it('never inserts a CR', async () => {
    const { page, state } = await open({ text: 'a\r\nb' })
    await page.evaluate(() => binding.setValue('a\r\nb\r\nc'))
    expect(await state()).toMatchObject({ value: 'a\nb\nc', shared: 'a\r\nb\nc' })
  })

  it('counts a line end that two authors made up as one', async () => {
    const { page, state } = await open({ text: 'a\rb' })
    await page.evaluate(() => {
      field.setSelectionRange(3, 3)
      remote.insert(2, '\n')
    })
    expect(await state()).toEqual({ value: 'a\nb', shared: 'a\r\nb', selection: [3, 3] })
  })

  it('drops line ends in an input, and leaves those of the shared text alone', async () => {
    const { page, state } = await open({ text: 'one\ntwo', html: '<input id="field">' })
    await page.evaluate(() => field.setSelectionRange(6, 6))
    await page.keyboard.type('!')
    expect(await state()).toEqual({ value: 'onetwo!', shared: 'one\ntwo!', selection: [7, 7] })
  })
})
