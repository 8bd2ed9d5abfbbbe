import { describe, expect, it } from 'vitest'
import { useTextarea } from '../support/textarea.js'

const open = useTextarea()

describe('a bound element follows what its provider says that one may do', () => {
  it('is read-only before the first keystroke, and shows what others write', async () => {
    const { page, state, settled } = await open({ text: 'abc', access: 'read' })
    expect(await page.evaluate(() => field.readOnly)).toBe(true)
    await page.evaluate(() => field.setSelectionRange(1, 2))
    await page.keyboard.type('x')
    await page.keyboard.press('Backspace')
    await page.evaluate(() => remote.insert(0, 'X'))
    expect(await state()).toEqual({ value: 'Xabc', shared: 'Xabc', selection: [2, 3] })
    await settled()
    expect(await page.evaluate(() => remoteAwareness.getStates().get(1)?.cursor)).toMatchObject({
      anchor: { assoc: 0 },
      head: { assoc: -1 },
    })
    expect(await page.evaluate(() => transactions.filter(({ own }) => own))).toEqual([])
  })

  it('lets one write while the server has said nothing yet', async () => {
    const { page, state } = await open({ text: 'abc', access: null })
    await page.keyboard.type('x')
    expect(await state()).toMatchObject({ value: 'xabc', shared: 'xabc' })
  })

  it('changes as the access does, in both directions, also for an input', async () => {
    for (const html of ['<textarea id="field"></textarea>', '<input id="field">']) {
      const { page, state } = await open({ text: 'abc', access: 'write', html })
      await page.keyboard.type('1')
      await page.evaluate(() => grant('read'))
      expect(await page.evaluate(() => field.matches(':read-only'))).toBe(true)
      await page.keyboard.type('2')
      await page.keyboard.press('Control+Z')
      expect(await state()).toEqual({ value: '1abc', shared: '1abc', selection: [1, 1] })
      await page.evaluate(() => grant('admin'))
      await page.keyboard.type('3')
      expect(await state()).toMatchObject({ value: '13abc', shared: '13abc' })
      await page.evaluate(() => grant('write'))
      await page.keyboard.press('Control+Z')
      expect(await state(), 'what could be undone still can').toMatchObject({ value: 'abc', shared: 'abc' })
    }
  })

  it.each(['none', 'the app takes the attribute away'])(
    'writes nothing, whatever is tried (%s)',
    async (meddling) => {
      const { page, ime, state, settled } = await open({
        text: 'abc',
        access: 'write',
        html: '<p id="words">dragged</p><textarea id="field"></textarea>',
      })
      const meddle = async () => {
        if (meddling !== 'none')
          await page.evaluate(() => {
            field.readOnly = false
          })
      }
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.keyboard.type('1')
      await page.evaluate(() => grant('read'))
      const unharmed = async (what: string) => {
        await settled()
        expect(await state(), what).toMatchObject({ value: '1abc', shared: '1abc' })
      }
      await meddle()
      await page.keyboard.type('x')
      await unharmed('a key')
      await meddle()
      await page.keyboard.press('Control+Z')
      await page.keyboard.press('Control+Y')
      await unharmed('undo')
      await meddle()
      await page.evaluate(() => {
        const command = { inputType: 'historyUndo', cancelable: true, bubbles: true }
        field.dispatchEvent(new InputEvent('beforeinput', command))
      })
      await unharmed('undo from a menu')
      await meddle()
      await page.evaluate(() => navigator.clipboard.writeText('pasted'))
      await page.keyboard.press('Control+V')
      await unharmed('paste')
      await meddle()
      await page.keyboard.press('Control+A')
      await page.keyboard.press('Control+X')
      await unharmed('cut')
      await meddle()
      await page.locator('#words').selectText()
      await page.locator('#words').dragTo(page.locator('#field'))
      await unharmed('drop')
      await page.locator('#field').focus()
      await meddle()
      await ime.compose('n')
      await ime.compose('ni')
      await ime.commit('你')
      await unharmed('an input method')
      await meddle()
      await page.evaluate(() => {
        field.value = 'autofilled'
        field.dispatchEvent(new InputEvent('input', { bubbles: true }))
      })
      await unharmed('autofill')
      await meddle()
      await page.evaluate(() => {
        field.value = 'by a script'
        remote.insert(0, 'X')
        remote.delete(0, 1)
      })
      await unharmed('a script')
      expect(await page.evaluate(() => field.readOnly)).toBe(true)
      await page.evaluate(() => grant('write'))
      await page.locator('#field').focus()
      await page.keyboard.press('Control+End')
      await page.keyboard.type('2')
      expect(await state()).toMatchObject({ value: '1abc2', shared: '1abc2' })
    },
  )

  it.each(['stream', 'hold'] as const)('ends a composition that is under way (%s)', async (composition) => {
    const { page, ime, state, settled } = await open({ text: 'ab', access: 'write', composition })
    await page.evaluate(() => field.setSelectionRange(1, 1))
    await ime.compose('n')
    const { shared } = await state()
    await page.evaluate(() => grant('read'))
    await ime.compose('ni')
    await page.evaluate(() => remote.insert(0, 'X'))
    await ime.commit('你')
    await settled()
    expect(await state()).toMatchObject({ value: `X${shared}`, shared: `X${shared}` })
    await page.evaluate(() => grant('write'))
    await page.keyboard.press('Control+End')
    await ime.compose('h')
    await ime.commit('好')
    await settled()
    expect(await state()).toMatchObject({ value: `X${shared}好`, shared: `X${shared}好` })
  })
})

describe('what the app says of an element stays', () => {
  it('read-only before the binding, and after', async () => {
    const { page } = await open({
      text: 'abc',
      access: 'read',
      html: '<textarea id="field" readonly="readonly"></textarea>',
    })
    await page.evaluate(() => grant('write'))
    expect(await page.evaluate(() => field.getAttribute('readonly'))).toBe('readonly')
    await page.evaluate(() => {
      grant('read')
      binding.destroy()
    })
    expect(await page.evaluate(() => field.getAttribute('readonly'))).toBe('readonly')
  })

  it('made read-only by the app while one may not write', async () => {
    const { page, state } = await open({ text: 'abc', access: 'read' })
    await page.evaluate(() => {
      field.readOnly = true
      remote.insert(0, 'X')
      grant('write')
    })
    expect(await page.evaluate(() => field.readOnly)).toBe(true)
    await page.evaluate(() => {
      field.readOnly = false
    })
    await page.keyboard.type('1')
    expect(await state()).toMatchObject({ shared: '1Xabc' })
  })

  it('disabled, alone or by its fieldset', async () => {
    const { page, state } = await open({
      text: 'abc',
      access: 'read',
      html: '<fieldset disabled><textarea id="field"></textarea></fieldset>',
    })
    await page.evaluate(() => grant('write'))
    expect(await page.evaluate(() => [field.disabled, field.readOnly])).toEqual([false, false])
    await page.keyboard.type('1')
    expect(await state()).toMatchObject({ shared: 'abc' })
  })

  it('has its element back when the binding ends, and hears no more', async () => {
    const { page } = await open({ text: 'abc', access: 'read' })
    await page.evaluate(() => binding.destroy())
    expect(await page.evaluate(() => field.hasAttribute('readonly'))).toBe(false)
    await page.evaluate(() => grant('read'))
    expect(await page.evaluate(() => field.hasAttribute('readonly'))).toBe(false)
  })

  it('resetting its form brings the shared text back, even with `reset: apply`', async () => {
    const { page, state, settled } = await open({
      text: 'abc',
      access: 'read',
      reset: 'apply',
      html: '<form><textarea id="field">default</textarea></form>',
    })
    await page.evaluate(() => field.form?.reset())
    await settled()
    expect(await state()).toMatchObject({ value: 'abc', shared: 'abc' })
  })
})
