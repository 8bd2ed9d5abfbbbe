import { describe, expect, it } from 'vitest'
import { addressOf } from '../../client/demo/address.js'
import { ago } from '../../client/demo/ago.js'
import { Library, titleOf } from '../../client/demo/library.js'
import { hrefOf } from '../../client/demo/rich/link.js'
import { safeHref, schema } from '../../client/demo/rich/schema.js'

/** A browser's store, and a clock that a test turns on. */
const shelf = (stored?: string) => {
  const kept = new Map<string, string>(stored === undefined ? [] : [['inkwire.documents', stored]])
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }
  const clock = { now: 0 }
  const library = new Library(store, () => ++clock.now)
  return { library, store, clock, names: () => library.entries.map(({ name }) => name) }
}

describe('the list of documents', () => {
  it('has what was opened last on top, below what is pinned', () => {
    const { library, names } = shelf()
    for (const name of ['a', 'b', 'c', 'b']) library.opened(addressOf(name))
    expect(names()).toEqual(['b', 'c', 'a'])
    library.pin('a', true)
    expect(names()).toEqual(['a', 'b', 'c'])
    library.pin('a', false)
    expect(names()).toEqual(['b', 'c', 'a'])
  })

  it('keeps label, pin and token of what is opened again by a shorter address', () => {
    const { library } = shelf()
    library.opened({ ...addressOf('a', 'rich'), token: 't' })
    library.rename('a', '  My   list ')
    library.pin('a', true)
    library.opened({ ...addressOf('a', 'rich'), readOnly: true })
    expect(library.find('a')).toEqual({
      ...addressOf('a', 'rich'),
      readOnly: true,
      token: 't',
      label: 'My list',
      pinned: true,
      openedAt: 2,
      leaving: false,
    })
    expect(titleOf({ name: 'a', label: 'My list' })).toBe('My list')
    library.rename('a', ' ')
    expect(titleOf(library.find('a') ?? { name: '', label: '' })).toBe('a')
  })

  it('keeps in mind what is to leave, until it is opened anew', () => {
    const { library } = shelf()
    library.opened(addressOf('a'))
    library.leave('a')
    expect(library.find('a')?.leaving).toBe(true)
    library.opened(addressOf('a'))
    expect(library.find('a')?.leaving).toBe(false)
  })

  it('forgets a document with all that it knew of it', () => {
    const { library, store } = shelf()
    library.opened({ ...addressOf('a'), token: 'secret' })
    library.remove('a')
    expect(library.entries).toEqual([])
    expect(store.getItem('inkwire.documents')).not.toContain('secret')
  })

  it('sees what another window has put there', () => {
    const { library, store } = shelf()
    library.opened(addressOf('a'))
    new Library(store, () => 9).opened(addressOf('b'))
    library.opened(addressOf('c'))
    expect(library.entries.map(({ name }) => name)).toEqual(['b', 'c', 'a'])
  })

  it('does not grow for ever, but loses nothing that is pinned', () => {
    const { library, names } = shelf()
    library.opened(addressOf('first'))
    library.pin('first', true)
    for (let count = 0; count < 250; count++) library.opened(addressOf(`d${count}`))
    expect(names()).toHaveLength(201)
    expect(names().slice(0, 2)).toEqual(['first', 'd249'])
    expect(names().at(-1)).toBe('d50')
  })

  it.each(['', '{', 'null', '7', '[null, 7, {}, {"name": ""}]'])('takes %j for empty', (stored) => {
    const { library, names } = shelf(stored)
    expect(names()).toEqual([])
    library.opened(addressOf('a'))
    expect(names()).toEqual(['a'])
  })

  it('believes nothing that isn’t what it should be', () => {
    const { library } = shelf('[{"name":"a","kind":7,"label":["x"],"openedAt":"now","pinned":1,"token":{}}]')
    expect(library.entries).toEqual([
      { ...addressOf('a'), label: '', openedAt: 0, pinned: false, leaving: false },
    ])
  })
})

describe('how long ago', () => {
  const MINUTE = 60_000
  it.each([
    [-5, 'just now'],
    [59_999, 'just now'],
    [MINUTE, '1 minute ago'],
    [59 * MINUTE, '59 minutes ago'],
    [60 * MINUTE, '1 hour ago'],
    [23 * 60 * MINUTE, '23 hours ago'],
    [24 * 60 * MINUTE, 'yesterday'],
    [3 * 24 * 60 * MINUTE, '3 days ago'],
    [40 * 24 * 60 * MINUTE, '2023-10-05'],
  ])('%i ms is %s', (passed, words) => {
    const now = Date.UTC(2023, 10, 14)
    expect(ago(now - passed, now)).toBe(words)
  })
})

describe('a link in rich text', () => {
  it.each([
    ['example.org/walks', 'https://example.org/walks'],
    [' http://example.org ', 'http://example.org'],
    ['mailto:ada@example.org', 'mailto:ada@example.org'],
    ['javascript:alert(1)', null],
    ['two words.org', null],
    ['word', null],
    ['', null],
  ])('that is typed as %j leads to %j', (typed, href) => {
    expect(hrefOf(typed)).toBe(href)
  })

  it.each([
    ['https://example.org/a?b#c', true],
    ['mailto:ada@example.org', true],
    ['javascript:alert(1)', false],
    [' javascript:alert(1)', false],
    ['data:text/html,x', false],
    ['/relative', false],
    [7, false],
    [null, false],
  ])('%j leads somewhere: %s', (href, leads) => {
    expect(safeHref(href)).toBe(leads ? href : null)
    // Whatever is in the document, what is drawn of it can be clicked on safely.
    const drawn = schema.marks.link.spec.toDOM?.(schema.marks.link.create({ href }), true)
    expect(JSON.stringify(drawn).includes('href')).toBe(leads)
  })
})
