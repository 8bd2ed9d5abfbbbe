import { describe, expect, it } from 'vitest'
import { type TextareaPage, useTextarea } from '../support/textarea.js'

const open = useTextarea()

/** The browser's own undo, as its menu calls it: no key press, only `beforeinput`. */
const menu = async ({ page }: TextareaPage, command: 'undo' | 'redo'): Promise<void> => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Input.dispatchKeyEvent', { type: 'keyDown', commands: [command] })
}

describe('textarea 6: undo takes back what was typed here, and nothing else', () => {
  it('on Ctrl+Z, and gives it back on Ctrl+Y and on Ctrl+Shift+Z', async () => {
    const { page, state } = await open({ text: 'abc' })
    await page.evaluate(() => field.setSelectionRange(1, 1))
    await page.keyboard.type('12')
    await page.evaluate(() => remote.insert(0, 'XYZ '))
    expect(await state()).toMatchObject({ value: 'XYZ a12bc' })
    await page.keyboard.press('Control+Z')
    expect(await state()).toEqual({ value: 'XYZ abc', shared: 'XYZ abc', selection: [5, 5] })
    await page.keyboard.press('Control+Z') // there is no more: the colleague's text stays
    expect(await state()).toMatchObject({ value: 'XYZ abc', shared: 'XYZ abc' })
    await page.keyboard.press('Control+Y')
    expect(await state()).toEqual({ value: 'XYZ a12bc', shared: 'XYZ a12bc', selection: [7, 7] })
    await page.keyboard.press('Control+Y')
    await page.keyboard.press('Control+Z')
    await page.keyboard.press('Control+Shift+Z')
    expect(await state()).toEqual({ value: 'XYZ a12bc', shared: 'XYZ a12bc', selection: [7, 7] })
  })

  it('on the command of a menu or a gesture', async () => {
    const opened = await open({ text: '' })
    const { page, state } = opened
    await page.keyboard.type('abc')
    await page.evaluate(() => remote.insert(0, 'X'))
    await menu(opened, 'undo')
    expect(await state()).toMatchObject({ value: 'X', shared: 'X' })
    await page.evaluate(() => {
      const redo = { inputType: 'historyRedo', cancelable: true, bubbles: true }
      field.dispatchEvent(new InputEvent('beforeinput', redo))
    })
    expect(await state()).toMatchObject({ value: 'Xabc', shared: 'Xabc' })
  })

  it('never through the browser, whose history remote edits have broken', async () => {
    const { page } = await open({ text: '' })
    const types = await page.evaluate(() => {
      const seen: string[] = []
      field.addEventListener('input', (event) => seen.push((event as InputEvent).inputType))
      return Object.assign(window, { seen }).seen
    })
    expect(types).toEqual([])
    await page.keyboard.type('a')
    await page.keyboard.press('Control+Z')
    await page.keyboard.press('Control+Y')
    expect(await page.evaluate(() => (window as unknown as { seen: string[] }).seen)).toEqual(['insertText'])
  })

  it('selects what was selected before the step, and after it on redo', async () => {
    const { page, state } = await open({ text: 'one two three' })
    await page.evaluate(() => field.setSelectionRange(4, 7, 'backward'))
    await page.keyboard.insertText('2')
    await page.evaluate(() => {
      field.setSelectionRange(0, 0)
      remote.insert(0, 'zero ')
    })
    await page.keyboard.press('Control+Z')
    expect(await state()).toMatchObject({ value: 'zero one two three', selection: [9, 12] })
    expect(await page.evaluate(() => field.selectionDirection)).toBe('backward')
    await page.keyboard.press('Control+Y')
    expect(await state()).toMatchObject({ value: 'zero one 2 three', selection: [10, 10] })
  })

  it('puts the caret back behind what a backspace had taken', async () => {
    const { page, state } = await open({ text: 'abcdef' })
    await page.evaluate(() => field.setSelectionRange(4, 4))
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Home')
    await page.keyboard.press('Control+Z')
    expect(await state()).toMatchObject({ value: 'abcdef', selection: [4, 4] })
  })

  it('works with the undo manager of the app, also from a button', async () => {
    const { page, state } = await open({ text: 'abc' })
    await page.evaluate(() => {
      binding.destroy()
      const undoManager = new Y.UndoManager(text, { trackedOrigins: new Set(['button']) })
      const own = bindTextarea(text, field, { undoManager })
      Object.assign(window, { binding: own })
      field.focus()
    })
    await page.keyboard.press('End')
    await page.keyboard.type('d')
    await page.evaluate(() => binding.undoManager.undo())
    expect(await state()).toEqual({ value: 'abc', shared: 'abc', selection: [3, 3] })
    await page.evaluate(() => binding.undoManager.redo())
    expect(await state()).toMatchObject({ value: 'abcd', selection: [4, 4] })
    const origins = await page.evaluate(() => {
      binding.destroy()
      return [...binding.undoManager.trackedOrigins].map((origin) => typeof origin)
    })
    expect(origins, 'the button and the manager itself').toEqual(['string', 'object'])
    expect(await page.evaluate(() => [...binding.undoManager._observers.keys()])).toEqual([])
  })

  it('does nothing in an element that is read-only', async () => {
    const { page, state } = await open({ text: '' })
    await page.keyboard.type('abc')
    await page.evaluate(() => {
      field.readOnly = true
    })
    await page.keyboard.press('Control+Z')
    expect(await state()).toMatchObject({ value: 'abc', shared: 'abc' })
  })

  it('leaves other shortcuts alone', async () => {
    const { page, state } = await open({ text: 'abc' })
    await page.keyboard.press('Control+A')
    expect(await state()).toMatchObject({ selection: [0, 3] })
    const prevented = await page.evaluate(() => {
      const press = (init: KeyboardEventInit) =>
        !field.dispatchEvent(new KeyboardEvent('keydown', { cancelable: true, ...init }))
      return {
        plain: press({ key: 'z', code: 'KeyZ' }),
        altGr: press({ key: 'z', code: 'KeyZ', ctrlKey: true, altKey: true }),
        cyrillic: press({ key: 'я', code: 'KeyZ', ctrlKey: true }),
        azerty: press({ key: 'w', code: 'KeyZ', ctrlKey: true }),
        command: press({ key: 'z', code: 'KeyZ', metaKey: true }),
        capital: press({ key: 'Z', code: 'KeyZ', ctrlKey: true, shiftKey: true }),
      }
    })
    expect(prevented).toEqual({
      plain: false,
      altGr: false,
      cyrillic: true,
      azerty: false,
      command: true,
      capital: true,
    })
  })
})
