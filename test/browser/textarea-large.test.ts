import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()
const LINE = 'The quick brown fox jumps over the lazy dog, and then some more of it.\n'
const LONG = LINE.repeat(3_000)
const MIDDLE = LINE.length * 1_500

/** Opens a page with a text for which edits are typed, the caret in its middle. */
const openLarge = async () => {
  const opened = await open({ text: LONG })
  await opened.page.evaluate((middle) => {
    field.setSelectionRange(middle, middle)
    field.scrollTop = 12_345
    const heard: string[] = []
    for (const type of ['input', 'beforeinput', 'change'])
      field.addEventListener(type, () => heard.push(type))
    Object.assign(window, { heard })
  }, MIDDLE)
  return opened
}
const heard = () => (window as unknown as { heard: string[] }).heard

describe('a large text in a textarea that has the focus', () => {
  it.each([
    ['an insertion before the caret', 10, 0, 'xyz', 3],
    ['an insertion behind the caret', MIDDLE + 500, 0, 'xyz', 0],
    ['a deletion', 100, 250, '', -250],
    ['a replacement with lines', 100, 5, 'a\nb\nc\n', 1],
    ['many lines', 100, 0, LINE.repeat(40), LINE.length * 40],
    ['an emoji', 100, 0, '😀', 2],
  ])(
    'takes %s of somebody else: nobody hears of it, caret and scroll position stay',
    async (_, at, removed, added, moved) => {
      const { page, state } = await openLarge()
      const scrolled = await page.evaluate(() => field.scrollTop)
      await page.evaluate(
        ([index, length, insert]) => {
          remote.doc?.transact(() => {
            remote.delete(index, length)
            remote.insert(index, insert)
          })
        },
        [at, removed, added] as const,
      )
      const expected = LONG.slice(0, at) + added + LONG.slice(at + removed)
      const now = await state()
      expect(now.value === expected && now.shared === expected).toBe(true)
      expect(now.selection).toEqual([MIDDLE + moved, MIDDLE + moved])
      expect(await page.evaluate(() => field.scrollTop)).toBe(scrolled)
      expect(await page.evaluate(heard)).toEqual([])
      expect(await page.evaluate(() => transactions.filter(({ own }) => own))).toEqual([])
    },
  )

  it('is written to so that the browser lays out a line only, unless that would take it longer', async () => {
    const { page } = await openLarge()
    const typed = await page.evaluate((lines) => {
      const seen: string[] = []
      const { execCommand } = Document.prototype
      Document.prototype.execCommand = function (...args) {
        seen.push(args[2] ?? '')
        return execCommand.apply(this, args)
      }
      remote.insert(5, 'one line')
      remote.insert(5, lines)
      field.blur()
      remote.insert(5, 'without the focus')
      return seen
    }, LINE.repeat(40))
    expect(typed).toEqual(['one line'])
  })

  it('keeps a selection with its direction, and undo is about one’s own edits', async () => {
    const { page, state } = await openLarge()
    await page.keyboard.insertText('mine ')
    await page.evaluate(() => remote.insert(5, 'theirs '))
    await page.keyboard.press('Control+Z')
    const undone = `${LONG.slice(0, 5)}theirs ${LONG.slice(5)}`
    expect((await state()).value === undone).toBe(true)
    await page.keyboard.press('Control+Y')
    expect((await state()).value).toContain('mine ')
    await page.evaluate(() => {
      field.setSelectionRange(1_000, 2_000, 'backward')
      remote.insert(5, '!')
    })
    expect((await state()).selection).toEqual([1_001, 2_001])
    expect(await page.evaluate(() => field.selectionDirection)).toBe('backward')
  })

  it('is never cut at maxlength, and shows the edits of others while it is read-only', async () => {
    const { page, state } = await openLarge()
    for (const change of ['maxLength = field.value.length', 'readOnly = true', 'disabled = true']) {
      await page.evaluate(`field.${change}`)
      await page.evaluate(() => remote.insert(5, 'theirs'))
      const { value, shared } = await state()
      expect(value === shared).toBe(true)
    }
    expect((await state()).shared.length).toBe(LONG.length + 18)
  })
})
