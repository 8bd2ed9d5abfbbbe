import { describe, expect, it } from 'vitest'
import { documentUrl } from '../../client/address.js'
import { addressIn, addressOf, hashOf, serverUrl } from '../../client/demo/address.js'
import { Identity, lenientStore } from '../../client/demo/identity.js'
import { documentName, initials, personName } from '../../client/demo/names.js'
import { chooseColor, cleanName, PALETTE, type Person, readOthers } from '../../client/demo/people.js'
import { Shelf } from '../../client/demo/shelf.js'

const [RED, BLUE, GREEN] = PALETTE

describe('the address', () => {
  it.each([
    ['welcome', '#/welcome'],
    ['notes/café 🦊', '#/notes/caf%C3%A9%20%F0%9F%A6%8A'],
    ['100%', '#/100%25'],
    ['a?b#c', '#/a%3Fb%23c'],
    ['..', '#/..'],
    ['/', '#//'],
  ])('names %j as %s', (name, hash) => {
    expect(hashOf(addressOf(name))).toBe(hash)
    expect(addressIn(hash)).toEqual(addressOf(name))
  })

  it.each([
    [{ kind: 'rich' }, '#/a?rich'],
    [{ readOnly: true }, '#/a?read'],
    [{ token: 'x.y+z/&=' }, '#/a?token=x.y%2Bz%2F%26%3D'],
    [{ kind: 'rich', readOnly: true, token: 't' }, '#/a?rich&read&token=t'],
  ] as const)('says %j as %s', (says, hash) => {
    expect(hashOf({ ...addressOf('a'), ...says })).toBe(hash)
    expect(addressIn(hash)).toEqual({ ...addressOf('a'), ...says })
  })

  it('that was typed by hand is taken as well as it can be', () => {
    expect(addressIn('#/notes/café 🦊')?.name).toBe('notes/café 🦊')
    expect(addressIn('#/100%')?.name).toBe('100%')
    expect(addressIn('#/a?token=&else=1')).toEqual(addressOf('a'))
    expect(addressIn('#/a?rich?read')).toEqual({ ...addressOf('a', 'rich'), readOnly: true })
    for (const hash of ['', '#', '#/', '#welcome', '#/?rich']) expect(addressIn(hash)).toBeNull()
    expect(hashOf(addressOf('\ud800'))).toBe('#/%EF%BF%BD')
  })

  it('of the server follows from the page and the path prefix, behind a proxy too', () => {
    expect(serverUrl('http://127.0.0.1:1234/#/welcome', '/')).toBe('ws://127.0.0.1:1234/')
    expect(serverUrl('https://example.org/?x=1#/a', '/docs/')).toBe('wss://example.org/docs/')
    const server = serverUrl('https://example.org/inkwire/#/a', '/docs/')
    expect(documentUrl(server.replace(/\/$/, ''), 'a/b', {})).toBe('wss://example.org/inkwire/docs/a/b')
  })
})

describe('names', () => {
  it('are made up from chance alone', () => {
    expect(personName(() => 0)).toBe('Amber Badger')
    expect(personName(() => 0.9999)).toBe('Witty Wren')
    expect(documentName(() => 0)).toBe('amber-bay-bbbb')
    expect(documentName(() => 0.9999)).toBe('witty-wood-9999')
  })

  it.each([
    ['Ada', 'A'],
    ['ada king lovelace', 'AL'],
    ['  Grace   Hopper ', 'GH'],
    ['👩‍👩‍👧 Ω', '👩‍👩‍👧Ω'],
    ['é', 'É'],
    ['', ''],
  ])('%j is %j in a circle', (name, expected) => {
    expect(initials(name)).toBe(expected)
  })

  it('are cut, and lose what would disturb their surroundings', () => {
    expect(cleanName(' a\n\tb\u0000\u202ec ')).toBe('a b c')
    expect(cleanName('🦊'.repeat(50))).toBe('🦊'.repeat(40))
    expect(cleanName('🦊'.repeat(50), '…')).toBe(`${'🦊'.repeat(39)}…`)
    expect(cleanName('🦊'.repeat(40), '…')).toBe('🦊'.repeat(40))
  })
})

describe('others', () => {
  it('may say anything about themselves', () => {
    const states = new Map<number, Record<string, unknown>>([
      [1, { user: { name: 'Me', color: RED } }],
      [5, { user: { name: 'Ada King', color: '#ABCDEF' } }],
      [2, { user: { name: 7, color: 'url(evil)' } }],
      [3, { user: null }],
      [4, {}],
    ])
    const somebody = { name: 'Somebody', initials: 'S' }
    expect(readOthers(states, 1)).toEqual([
      { id: 2, ...somebody, color: PALETTE[2] },
      { id: 3, ...somebody, color: PALETTE[3] },
      { id: 4, ...somebody, color: PALETTE[4] },
      { id: 5, name: 'Ada King', initials: 'AK', color: '#ABCDEF' },
    ])
  })

  it('end up with a colour each, while there are enough', () => {
    const ids = PALETTE.map((_, index) => index * 7 + 1)
    let colors = ids.map(() => RED as string)
    for (let round = 0; round < ids.length; round++)
      colors = colors.map((mine, index) => {
        const people = ids.map((id, at): Person => ({ id, name: '', initials: '', color: colors[at] ?? '' }))
        return chooseColor(
          mine,
          ids[index] ?? 0,
          people.filter(({ id }) => id !== ids[index]),
        )
      })
    expect(new Set(colors).size).toBe(PALETTE.length)
    const crowd = PALETTE.map((color, id): Person => ({ id, name: '', initials: '', color }))
    expect(chooseColor(BLUE, 99, crowd)).toBe(BLUE)
  })

  it('can be read in white on every colour', () => {
    for (const color of PALETTE) expect(contrastWithWhite(color), color).toBeGreaterThan(4.5)
  })
})

describe('one’s own identity', () => {
  const store = () => {
    const kept = new Map<string, string>()
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    }
  }

  it('made up belongs to the window, chosen to the browser', () => {
    const [browser, window, other] = [store(), store(), store()]
    const mine = new Identity(browser, window, () => 0)
    expect(mine.user).toEqual({ name: 'Amber Badger', color: RED })
    expect(new Identity(browser, window, () => 0.5).user).toEqual(mine.user)
    expect(new Identity(browser, other, () => 0.9999).user.name).toBe('Witty Wren')
    mine.rename(' Ada ')
    mine.recolor(GREEN)
    expect(new Identity(browser, window, () => 0.5).user).toEqual({ name: 'Ada', color: GREEN })
    expect(new Identity(browser, other, () => 0.5).user.name).toBe('Ada')
    mine.rename('  ')
    expect(mine.user.name).toBe('Amber Badger')
  })

  it('lasts as long as the page where a browser keeps nothing', () => {
    const denied = lenientStore(() => {
      throw new Error('denied')
    })
    new Identity(denied, denied, () => 0).rename('Ada')
    expect(new Identity(denied, denied, () => 0).user.name).toBe('Ada')
  })
})

describe('the documents of a window', () => {
  const shelfOf = (unsafe: Record<string, number>, loading = new Set<string>()) => {
    const log: string[] = []
    const shelf = new Shelf((name) => {
      if (name === '..') throw new TypeError('no name')
      log.push(`open ${name}`)
      return {
        name,
        get unsafeEdits() {
          return unsafe[name] ?? 0
        },
        fragileEdits: 0,
        get loading() {
          return loading.has(name)
        },
        destroy: () => void log.push(`close ${name}`),
      }
    })
    return { shelf, log }
  }

  it('are closed when they are left, but not before all edits are safe', () => {
    const unsafe: Record<string, number> = { a: 2 }
    const { shelf, log } = shelfOf(unsafe)
    const a = shelf.show('a')
    expect(shelf.unsafeEditsElsewhere).toBe(0)
    shelf.show('b')
    expect(shelf.unsafeEditsElsewhere).toBe(2)
    expect(shelf.show('a')).toBe(a)
    expect(log).toEqual(['open a', 'open b', 'close b'])
    shelf.show('c')
    unsafe.a = 0
    shelf.tidy()
    expect(log.slice(3)).toEqual(['open c', 'close a'])
    expect(shelf.show('a')).not.toBe(a)
  })

  it('are open without being shown as long as they have something to send, or may have', () => {
    const unsafe: Record<string, number> = {}
    const loading = new Set(['left'])
    const { shelf, log } = shelfOf(unsafe, loading)
    shelf.show('a')
    shelf.fetch('left')
    shelf.fetch('a')
    shelf.tidy()
    unsafe.left = 1
    loading.clear()
    shelf.tidy()
    expect([shelf.unsafeEditsElsewhere, log]).toEqual([1, ['open a', 'open left']])
    unsafe.left = 0
    shelf.tidy()
    expect(log).toEqual(['open a', 'open left', 'close left'])
  })

  it('are none where one can’t be opened', () => {
    const { shelf, log } = shelfOf({})
    shelf.show('a')
    expect(() => shelf.show('..')).toThrow('no name')
    expect(shelf.shown).toBeNull()
    expect(log).toEqual(['open a', 'close a'])
  })
})

/** As the WCAG define it. */
const contrastWithWhite = (color: string): number => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05)
}
