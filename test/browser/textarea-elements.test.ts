import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

describe('textarea 12: elements of every kind, wherever they are', () => {
  it('read-only and disabled ones show remote edits and write none', async () => {
    for (const attribute of ['readonly', 'disabled']) {
      const { page, state } = await open({
        text: 'abc',
        html: `<textarea id="field" ${attribute}></textarea>`,
      })
      await page.keyboard.type('x')
      await page.evaluate(() => remote.insert(0, 'X'))
      expect(await state()).toMatchObject({ value: 'Xabc', shared: 'Xabc' })
      // What a script puts there is not the user's to write; through the binding the app can.
      await page.evaluate(() => {
        field.value = 'other'
        remote.insert(0, 'Y')
      })
      expect(await state()).toMatchObject({ value: 'YXabc', shared: 'YXabc' })
      await page.evaluate(() => binding.setValue('mine'))
      expect(await state()).toMatchObject({ value: 'mine', shared: 'mine' })
    }
  })

  it('inputs of type email, which have no selection', async () => {
    const { page, state } = await open({ text: 'ada@example', html: '<input type="email" id="field">' })
    await page.keyboard.press('End')
    await page.keyboard.type('.org')
    expect(await state()).toEqual({ value: 'ada@example.org', shared: 'ada@example.org', selection: null })
    await page.evaluate(() => remote.insert(0, 'x'))
    expect(await state()).toMatchObject({ value: 'xada@example.org', shared: 'xada@example.org' })
  })

  it('inputs of type number, also while they hold half a number or none', async () => {
    const { page, state } = await open({ text: 'many', html: '<input type="number" id="field">' })
    expect(await state()).toMatchObject({ value: '', shared: 'many' })
    await page.keyboard.type('1')
    expect(await state()).toMatchObject({ value: '1', shared: '1' })
    await page.keyboard.type('e')
    expect(await state(), 'half a number is no reason to delete').toMatchObject({ shared: '1' })
    await page.keyboard.type('3')
    expect(await state()).toMatchObject({ value: '1e3', shared: '1e3' })
    await page.keyboard.type('e')
    await page.evaluate(() => remote.insert(0, '2'))
    expect(await state(), 'nor when a remote edit comes in').toMatchObject({ value: '21e3', shared: '21e3' })
    await page.evaluate(() => {
      remote.delete(0, remote.length)
      remote.insert(0, '42')
    })
    expect(await state()).toMatchObject({ value: '42', shared: '42' })
  })

  it('in a shadow tree', async () => {
    const { page, state } = await open({
      text: 'abc',
      html: '<div id="host"></div><textarea id="field"></textarea>',
    })
    await page.evaluate(() => {
      document.getElementById('host')?.attachShadow({ mode: 'open' }).append(field)
      field.focus()
      field.setSelectionRange(1, 1)
    })
    await page.keyboard.type('x')
    await page.evaluate(() => remote.insert(0, 'X'))
    expect(await state()).toEqual({ value: 'Xaxbc', shared: 'Xaxbc', selection: [3, 3] })
    await page.keyboard.press('Control+Z')
    expect(await state()).toEqual({ value: 'Xabc', shared: 'Xabc', selection: [2, 2] })
  })

  it('removed and added again', async () => {
    const { page, state } = await open({ text: 'abc' })
    await page.evaluate(() => {
      field.remove()
      remote.insert(0, 'X')
      document.body.append(field)
      field.focus()
      field.setSelectionRange(4, 4)
    })
    await page.keyboard.type('y')
    expect(await state()).toEqual({ value: 'Xabcy', shared: 'Xabcy', selection: [5, 5] })
  })

  it('refuses a text that is in no document', async () => {
    const { page } = await open()
    const message = await page.evaluate(() => {
      try {
        bindTextarea(new Y.Text(), field)
      } catch (error) {
        return String(error)
      }
      return 'nothing'
    })
    expect(message).toContain('TypeError')
  })
})

describe('textarea 12: destroy leaves nothing behind', () => {
  it('no listener, observer, presence or node', async () => {
    const { page, ime, settled } = await open({ text: 'abc', presence: true })
    const devtools = await page.context().newCDPSession(page)
    const listeners = async (): Promise<string[]> => {
      const all: string[] = []
      for (const expression of ['field', 'document', 'window', 'document.fonts', 'document.body']) {
        const { result } = await devtools.send('Runtime.evaluate', { expression })
        const found = await devtools.send('DOMDebugger.getEventListeners', {
          objectId: result.objectId ?? '',
        })
        all.push(...found.listeners.map((each) => `${expression} ${each.type}`))
      }
      return all
    }
    const counts = () =>
      page.evaluate(() => ({
        observers: text._eH.l.length,
        awareness: awareness._observers.get('change')?.size ?? 0,
        document: [...(text.doc?._observers ?? [])].map(([name, set]) => `${name} ${set.size}`).sort(),
        elements: document.body.children.length,
        cursor: awareness.getLocalState()?.cursor ?? null,
      }))
    await page.evaluate(() => point(1, 2, { name: 'Ada', color: '#f0f' }))
    await settled()
    expect((await listeners()).length).toBeGreaterThan(10)
    expect(await counts()).toMatchObject({ elements: 2, cursor: { anchor: { assoc: -1 } } })

    await ime.compose('n') // the middle of everything
    await page.evaluate(() => {
      remote.insert(0, 'X')
      field.blur()
      binding.destroy()
      binding.destroy()
    })
    expect(await listeners()).toEqual([])
    const left = await counts()
    expect(left).toMatchObject({ observers: 1, elements: 1, cursor: null }) // one is the test's own
    const fresh = await page.evaluate(() => {
      const doc = new Y.Doc()
      const state = new Awareness(doc)
      const before = [...doc._observers].map(([name, set]) => `${name} ${set.size}`).sort()
      state.destroy()
      return before
    })
    await settled()
    expect(left.document).toEqual([...fresh, 'update 1'].sort()) // the relay of the test
    await page.evaluate(() => remote.insert(0, 'Y'))
    expect(await page.evaluate(() => field.value)).not.toContain('Y')
  })

  it('writes what is still held before it ends', async () => {
    const { page, ime } = await open({ text: 'abc', composition: 'hold' })
    await ime.compose('n')
    await page.evaluate(() => binding.destroy())
    expect(await page.evaluate(() => text.toString())).toBe('nabc')
  })
})

describe('an element that is bound again', () => {
  it('belongs to the last binding alone: nothing is written twice, also in the middle of a composition', async () => {
    const { page, ime, state, settled } = await open({ presence: true })
    await page.keyboard.type('ab')
    await page.evaluate(() => {
      Object.assign(window, { second: bindTextarea(text, field, { awareness }) })
    })
    await page.keyboard.type('c')
    await ime.compose('n')
    await page.evaluate(() => remote.insert(0, 'X'))
    await ime.compose('ni')
    await ime.commit('に')
    await settled()
    expect(await state()).toEqual({ value: 'Xabcに', shared: 'Xabcに', selection: [5, 5] })
    await page.keyboard.press('Control+z')
    expect(await state()).toMatchObject({ value: 'Xab', shared: 'Xab' })
    // The first has ended long ago, whoever says so once more.
    await page.evaluate(() => binding.destroy())
    await page.keyboard.type('d')
    await settled()
    expect(await state()).toMatchObject({ value: 'Xabd', shared: 'Xabd' })
    expect(await page.evaluate(() => Boolean(awareness.getLocalState()?.cursor))).toBe(true)
  })

  it('shows another text, and leaves the one before as it is', async () => {
    const { page } = await open({ text: 'one' })
    const texts = await page.evaluate(() => {
      field.value = 'one!'
      const other = new Y.Doc().getText('other')
      other.insert(0, 'two')
      bindTextarea(other, field)
      field.setRangeText('2', 3, 3, 'end')
      field.dispatchEvent(new InputEvent('input'))
      return [field.value, other.toString(), text.toString()]
    })
    expect(texts).toEqual(['two2', 'two2', 'one!'])
  })
})
