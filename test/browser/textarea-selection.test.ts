import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

describe('textarea 4: the selection stays with its characters', () => {
  const cases: [name: string, selection: [number, number], edit: string, expected: [number, number]][] = [
    ['a caret, text inserted before it', [3, 3], 'insert 1 XY', [5, 5]],
    ['a caret, text inserted at it: stays on the left', [3, 3], 'insert 3 XY', [3, 3]],
    ['a caret, text inserted behind it', [3, 3], 'insert 4 XY', [3, 3]],
    ['a caret, text around it deleted', [3, 3], 'delete 1 4', [1, 1]],
    ['a caret at the start, text inserted there', [0, 0], 'insert 0 XY', [0, 0]],
    ['a caret at the end, text inserted there', [6, 6], 'insert 6 XY', [6, 6]],
    ['a range, text inserted at its start: stays outside', [2, 4], 'insert 2 XY', [4, 6]],
    ['a range, text inserted at its end: stays outside', [2, 4], 'insert 4 XY', [2, 4]],
    ['a range, text inserted inside it', [2, 4], 'insert 3 XY', [2, 6]],
    ['a range, its start deleted', [2, 4], 'delete 1 2', [1, 2]],
    ['a range, deleted with what is around it', [2, 4], 'delete 1 4', [1, 1]],
  ]
  it('for every kind of edit and selection, in both directions, focused or not', async () => {
    const { page } = await open()
    for (const [name, selection, edit, expected] of cases)
      for (const direction of ['forward', 'backward'] as const)
        for (const focused of [true, false]) {
          const result = await page.evaluate(
            ({ selection, edit, direction, focused }) => {
              remote.delete(0, remote.length)
              remote.insert(0, 'abcdef')
              if (focused) field.focus()
              else field.blur()
              field.setSelectionRange(...selection, direction)
              const [action, at = '', what = ''] = edit.split(' ')
              if (action === 'insert') remote.insert(Number(at), what)
              else remote.delete(Number(at), Number(what))
              return {
                value: field.value === text.toString(),
                selection: [field.selectionStart, field.selectionEnd],
                direction: field.selectionDirection,
                focused: document.activeElement === field,
              }
            },
            { selection, edit, direction, focused },
          )
          expect(result, name).toMatchObject({ value: true, selection: expected, focused })
          // The direction of a caret means nothing, and browsers forget it.
          if (expected[0] < expected[1]) expect(result.direction, name).toBe(direction)
        }
  })

  it('is right after several changes in one transaction', async () => {
    const { page, state } = await open({ text: 'one two three four' })
    await page.evaluate(() => {
      field.setSelectionRange(8, 13, 'backward')
      remote.doc?.transact(() => {
        remote.insert(18, ' five')
        remote.delete(4, 4)
        remote.insert(0, 'zero ')
      })
    })
    expect(await state()).toMatchObject({ value: 'zero one three four five', selection: [9, 14] })
    expect(await page.evaluate(() => field.selectionDirection)).toBe('backward')
  })

  it('goes on from the same place when the user extends it', async () => {
    const { page, state } = await open({ text: 'abcdef' })
    await page.evaluate(() => field.setSelectionRange(2, 4, 'backward'))
    await page.evaluate(() => remote.insert(0, 'XY'))
    await page.keyboard.press('Shift+ArrowLeft')
    expect(await state()).toMatchObject({ selection: [3, 6] })
  })

  it('keeps the scroll position', async () => {
    const { page } = await open({ text: 'line\n'.repeat(100) })
    const scrolled = await page.evaluate(() => {
      field.setSelectionRange(0, 0)
      field.scrollTop = 400
      remote.insert(0, 'above\n')
      remote.insert(remote.length, 'below\n')
      return [field.scrollTop, field.selectionStart]
    })
    expect(scrolled).toEqual([400, 0])
  })

  it('does not end a selection that the mouse is making', async () => {
    const { page, state } = await open({
      text: 'abcdefghijkl',
      html: '<textarea id="field" style="font: 20px monospace; width: 500px; padding: 0; border: 0"></textarea>',
    })
    const letter = await page.evaluate(() => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d')
      if (!canvas) throw new Error('no canvas')
      canvas.font = getComputedStyle(field).font
      return canvas.measureText('a').width
    })
    const box = await page.locator('#field').boundingBox()
    if (!box) throw new Error('not in sight')
    await page.mouse.move(box.x + 2 * letter, box.y + 10)
    await page.mouse.down()
    await page.mouse.move(box.x + 4 * letter, box.y + 10, { steps: 3 })
    await page.evaluate(() => remote.insert(text.length, '!'))
    await page.mouse.move(box.x + 6 * letter, box.y + 10, { steps: 3 })
    await page.mouse.up()
    expect(await state()).toMatchObject({ selection: [2, 6] })
  })
})
