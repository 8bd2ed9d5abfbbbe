import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { type RenderFormat, renderDocument, rootKind } from '../../server/worker/render.js'

const stored = (edit: (doc: Y.Doc) => void): { snapshot: Uint8Array; updates: Uint8Array[] } => {
  const doc = new Y.Doc()
  edit(doc)
  return { snapshot: Y.encodeStateAsUpdate(doc), updates: [] }
}

const render = (edit: (doc: Y.Doc) => void, format: RenderFormat, root?: string): string =>
  renderDocument(stored(edit), format, root)

const json = (edit: (doc: Y.Doc) => void, root?: string): unknown => JSON.parse(render(edit, 'json', root))

const prosemirror = (doc: Y.Doc): void => {
  const paragraph = (text: string): Y.XmlElement => {
    const element = new Y.XmlElement('paragraph')
    element.insert(0, [new Y.XmlText(text)])
    return element
  }
  const list = new Y.XmlElement('list')
  list.insert(0, [paragraph('one'), paragraph('two')])
  doc.getXmlFragment('prosemirror').insert(0, [paragraph('Title'), list, new Y.XmlElement('rule')])
}

describe('what a root is, told from what it holds', () => {
  const kind = (edit: (doc: Y.Doc) => void): string => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, stored(edit).snapshot)
    const kinds = [...doc.share.values()].map(rootKind)
    doc.destroy()
    return kinds.join()
  }

  it.each<[string, string, (doc: Y.Doc) => void]>([
    ['text', 'text', (doc) => doc.getText('r').insert(0, 'a')],
    ['text with an embed first', 'text', (doc) => doc.getText('r').insertEmbed(0, { image: 'x' })],
    [
      'text that holds a shared type',
      'text',
      (doc) => {
        doc.getText('r').insert(0, 'a')
        doc.getText('r').insertEmbed(0, new Y.Map())
      },
    ],
    [
      'text with attributes',
      'text',
      (doc) => {
        doc.getText('r').insert(0, 'a')
        doc.getText('r').setAttribute('b', 1)
      },
    ],
    ['formatted text', 'text', (doc) => doc.getText('r').insert(0, 'a', { bold: true })],
    ['map', 'map', (doc) => doc.getMap('r').set('a', 1)],
    ['array of values', 'array', (doc) => doc.getArray('r').insert(0, [1, 'a', null])],
    ['array of shared types', 'array', (doc) => doc.getArray('r').insert(0, [new Y.Text('a')])],
    ['array of bytes', 'array', (doc) => doc.getArray('r').insert(0, [Uint8Array.of(1)])],
    ['XML', 'xml', prosemirror],
    [
      'an array that holds an XML element among others',
      'array',
      (doc) => doc.getArray('r').insert(0, [new Y.XmlElement('p'), null, new Y.XmlElement('p')]),
    ],
    ['XML text', 'xml', (doc) => doc.getXmlFragment('r').insert(0, [new Y.XmlText('a')])],
    [
      'an array whose first value is gone',
      'array',
      (doc) => {
        doc.getArray('r').insert(0, [1, 2])
        doc.getArray('r').delete(0, 1)
      },
    ],
    [
      'emptied text',
      'empty',
      (doc) => {
        doc.getText('r').insert(0, 'a')
        doc.getText('r').delete(0, 1)
      },
    ],
    [
      'emptied map',
      'empty',
      (doc) => {
        doc.getMap('r').set('a', 1)
        doc.getMap('r').delete('a')
      },
    ],
  ])('%s → %s', (_, expected, edit) => expect(kind(edit)).toBe(expected))
})

describe('as text', () => {
  it('gives the characters of the only root and nothing else', () => {
    expect(render((doc) => doc.getText('any name').insert(0, 'just\nthis 🙂'), 'text')).toBe('just\nthis 🙂')
  })

  it('leaves formatting and embeds out', () => {
    const edit = (doc: Y.Doc): void => {
      doc.getText('r').insert(0, 'bold', { bold: true })
      doc.getText('r').insertEmbed(4, { image: 'x' })
      doc.getText('r').insert(5, ' plain', { bold: null })
    }
    expect(render(edit, 'text')).toBe('bold plain')
  })

  it('gives XML a line per block', () => {
    expect(render(prosemirror, 'text')).toBe('Title\none\ntwo\n\n')
  })

  it('gives a map as JSON', () => {
    expect(render((doc) => doc.getMap('r').set('a', 1), 'text')).toBe('{\n  "a": 1\n}\n')
  })

  it('puts several roots below their names, in order', () => {
    const edit = (doc: Y.Doc): void => {
      doc.getText('b').insert(0, 'second')
      doc.getText('a').insert(0, 'first\n')
    }
    expect(render(edit, 'text')).toBe('=== a ===\nfirst\n\n=== b ===\nsecond\n')
    expect(render(edit, 'text', 'b')).toBe('second')
  })

  it('is empty for an empty document', () => {
    expect(render(() => undefined, 'text')).toBe('')
  })
})

describe('as JSON', () => {
  it('has every root, nested types and odd values', () => {
    const edit = (doc: Y.Doc): void => {
      const map = doc.getMap('map')
      map.set('text', new Y.Text('t'))
      map.set('list', Y.Array.from([1, new Y.Map([['deep', true]]), null]))
      map.set('bytes', Uint8Array.of(1, 2, 3))
      map.set('big', 1234567890123456789n)
      map.set('plain', { a: [1, { b: 2 }] })
      map.set('xml', new Y.XmlText('x'))
      map.set('sub', new Y.Doc({ guid: 'some-guid' }))
      doc.getText('text').insert(0, 'hello')
      doc.getText('gone').insert(0, 'x')
      doc.getText('gone').delete(0, 1)
      prosemirror(doc)
    }
    expect(json(edit)).toEqual({
      gone: null,
      map: {
        text: 't',
        list: [1, { deep: true }, null],
        bytes: 'AQID',
        big: '1234567890123456789',
        plain: { a: [1, { b: 2 }] },
        xml: 'x',
        sub: { guid: 'some-guid' },
      },
      prosemirror:
        '<paragraph>Title</paragraph><list><paragraph>one</paragraph><paragraph>two</paragraph></list><rule></rule>',
      text: 'hello',
    })
  })

  it('gives one root alone', () => {
    expect(json((doc) => doc.getArray('r').insert(0, [1, 2]), 'r')).toEqual([1, 2])
  })

  it('takes __proto__ for a key and a root like any other', () => {
    const edit = (doc: Y.Doc): void => {
      doc.getMap('__proto__').set('__proto__', new Y.Map([['polluted', true]]))
      doc.getMap('__proto__').set('constructor', 'x')
    }
    const text = render(edit, 'json')
    expect(text).toContain('"__proto__": {\n      "polluted": true')
    expect(text).toContain('"constructor": "x"')
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    expect(render(edit, 'json', '__proto__')).toContain('"polluted": true')
  })

  it('is {} for an empty document', () => {
    expect(json(() => undefined)).toEqual({})
  })
})

describe('a root that is not there', () => {
  it('is an error that names the ones that are', () => {
    const edit = (doc: Y.Doc): void => {
      doc.getText('a').insert(0, 'x')
      doc.getText('b').insert(0, 'x')
    }
    expect(() => render(edit, 'json', 'c')).toThrow('there is no root "c"; there are "a", "b"')
    expect(() => render(() => undefined, 'text', 'c')).toThrow('there is no root "c": the document is empty')
  })
})

it('renders a snapshot with its tail', () => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'snapshot')
  const snapshot = Y.encodeStateAsUpdate(doc)
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  doc.getText('text').insert(8, ' and')
  doc.getText('text').insert(12, ' tail')
  expect(renderDocument({ snapshot, updates }, 'text')).toBe('snapshot and tail')
})
