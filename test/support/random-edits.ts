import * as Y from 'yjs'

/** A seeded source of numbers in [0, 1) (mulberry32), so that a failure can be repeated from its seed. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number in [0, below). */
export const below = (random: () => number, limit: number): number => Math.floor(random() * limit)

export const pick = <T>(random: () => number, values: readonly T[]): T => {
  const value = values[below(random, values.length)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}

export const shuffled = <T>(random: () => number, values: readonly T[]): T[] =>
  values
    .map((value) => ({ value, key: random() }))
    .sort((left, right) => left.key - right.key)
    .map(({ value }) => value)

/** Several people editing one document in every way Yjs offers. */
export interface Session {
  /** Their replicas, all in sync at the end. */
  readonly docs: readonly Y.Doc[]
  /** Every update that any of them sent, in the order of sending. */
  readonly updates: Uint8Array[]
}

export interface SessionOptions {
  readonly authors?: number
  readonly edits?: number
  /** Whether the authors' documents forget deleted content. Default: each by chance. */
  readonly gc?: boolean
}

/**
 * A random editing session: text with formats, embeds and emoji, arrays, maps, XML, binary values, subdocuments,
 * undo; authors hear of each other late and in bursts.
 */
export const randomSession = (seed: number, options: SessionOptions = {}): Session => {
  const random = seeded(seed)
  const { authors = 3, edits = 60 } = options
  const updates: Uint8Array[] = []
  const people = Array.from({ length: authors }, () => {
    const doc = new Y.Doc({ gc: options.gc ?? random() < 0.7 })
    doc.clientID = below(random, 2 ** 32)
    const undo = new Y.UndoManager([doc.getText('text'), doc.getMap('map')], { captureTimeout: 0 })
    const inbox: Uint8Array[] = []
    return { doc, undo, inbox }
  })
  for (const { doc } of people) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'network') return
      updates.push(update)
      for (const other of people) if (other.doc !== doc) other.inbox.push(update)
    })
  }
  for (let i = 0; i < edits; i++) {
    const { doc, undo, inbox } = pick(random, people)
    if (random() < 0.3) for (const update of inbox.splice(0)) Y.applyUpdate(doc, update, 'network')
    if (random() < 0.08) undo.undo()
    else if (random() < 0.04) undo.redo()
    else doc.transact(() => randomEdit(random, doc))
  }
  for (const { doc, inbox } of people) for (const update of inbox) Y.applyUpdate(doc, update, 'network')
  for (const { undo } of people) undo.destroy()
  return { docs: people.map(({ doc }) => doc), updates }
}

const WORDS = ['a', 'be', 'ink', '\u{1f600}', 'é', '漢字', ' ', 'x\u{1f469}‍\u{1f680}y', '\n']
const text = (random: () => number): string =>
  Array.from({ length: 1 + below(random, 4) }, () => pick(random, WORDS)).join('')

const value = (random: () => number, depth = 0): unknown => {
  const kind = below(random, depth > 2 ? 8 : 11)
  switch (kind) {
    case 0:
      return null
    case 1:
      return undefined
    case 2:
      return random() < 0.5
    case 3:
      return below(random, 2 ** 31) * (random() < 0.5 ? -1 : 1)
    case 4:
      return random() * 1e6
    case 5:
      return Math.fround(random())
    case 6:
      return text(random)
    case 7:
      return BigInt(below(random, 2 ** 40))
    case 8:
      return Array.from({ length: below(random, 4) }, () => value(random, depth + 1))
    case 9:
      return Uint8Array.from({ length: below(random, 5) }, () => below(random, 256))
    default:
      return { [text(random)]: value(random, depth + 1), k: value(random, depth + 1) }
  }
}

/** Arrays take neither undefined nor bigints at their top level. */
const listValue = (random: () => number): unknown => {
  const any = value(random)
  return any === undefined || typeof any === 'bigint' ? 0 : any
}

const sharedType = (random: () => number): unknown => {
  switch (below(random, 7)) {
    case 0:
      return new Y.Text(text(random))
    case 1:
      return Y.Array.from([1, text(random)])
    case 2:
      return new Y.Map([['k', text(random)]])
    case 3:
      return new Y.XmlElement('p')
    case 4:
      return new Y.XmlText(text(random))
    case 5:
      return new Y.Doc({
        guid: `guid-${below(random, 1000)}`,
        meta: { n: below(random, 9) },
        autoLoad: random() < 0.2,
      })
    default:
      return new Y.XmlHook('hook')
  }
}

const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g

/** One stretch of a text in one format. */
class Piece {
  readonly text: string
  /** Where surrogate pairs begin. */
  readonly #pairs: readonly number[]

  /** @param insert an embed counts one. */
  constructor(insert: unknown) {
    this.text = typeof insert === 'string' ? insert : ' '
    this.#pairs = [...this.text.matchAll(PAIRS)].map(({ index }) => index)
  }

  /** Characters, a surrogate pair being one. */
  get size(): number {
    return this.text.length - this.#pairs.length
  }

  /** Where character number `index` begins. */
  place(index: number): number {
    let at = index
    for (const pair of this.#pairs) {
      if (pair >= at) break
      at++
    }
    return at
  }
}

/**
 * Where in a text an edit may begin or end: anywhere but inside of a surrogate pair. Replicas of Yjs itself end
 * differently when somebody splits one. Texts may be large: nothing is made for each character.
 */
const boundaries = (ytext: Y.Text): { readonly count: number; place(index: number): number } => {
  const pieces = (ytext.toDelta() as { insert: unknown }[]).map(({ insert }) => new Piece(insert))
  return {
    count: 1 + pieces.reduce((sum, { size }) => sum + size, 0),
    place: (index) => {
      let at = 0
      let left = index
      for (const piece of pieces) {
        if (left <= piece.size) return at + piece.place(left)
        left -= piece.size
        at += piece.text.length
      }
      return at
    },
  }
}

/** A random place in a text, and how far it is to another one a few characters on. */
const stretch = (random: () => number, ytext: Y.Text): { at: number; length: number } => {
  const { count, place } = boundaries(ytext)
  const first = below(random, count)
  const last = Math.min(first + 1 + below(random, 6), count - 1)
  const at = place(first)
  return { at, length: place(last) - at }
}

/** One random change by one author. */
export const randomEdit = (random: () => number, doc: Y.Doc): void => {
  switch (below(random, 10)) {
    case 0:
    case 1:
    case 2: {
      const ytext = doc.getText('text')
      ytext.insert(stretch(random, ytext).at, text(random))
      break
    }
    case 3: {
      const ytext = doc.getText('text')
      const { at, length } = stretch(random, ytext)
      ytext.delete(at, length)
      break
    }
    case 4: {
      const ytext = doc.getText('text')
      const { at, length } = stretch(random, ytext)
      ytext.format(at, length, {
        bold: pick(random, [true, null]),
        link: pick(random, [null, { href: text(random) }]),
      })
      break
    }
    case 5: {
      const ytext = doc.getText('text')
      ytext.insertEmbed(
        stretch(random, ytext).at,
        { image: text(random), n: [1, { deep: null }] },
        { w: 1.5e-7 },
      )
      break
    }
    case 6: {
      const array = doc.getArray('array')
      const at = below(random, array.length + 1)
      if (random() < 0.6)
        array.insert(at, random() < 0.3 ? [sharedType(random)] : [listValue(random), listValue(random), 1, 2])
      else array.delete(at, Math.min(1 + below(random, 3), array.length - at))
      break
    }
    case 7:
    case 8: {
      const map = doc.getMap('map')
      const key = pick(random, ['a', 'b', 'ü', ''])
      const action = random()
      if (action < 0.2) map.delete(key)
      else map.set(key, action < 0.5 ? sharedType(random) : value(random))
      break
    }
    default: {
      const xml = doc.getXmlFragment('xml')
      if (xml.length > 0 && random() < 0.3) xml.delete(below(random, xml.length), 1)
      else {
        const element = new Y.XmlElement('div')
        element.setAttribute('class', text(random))
        element.insert(0, [new Y.XmlText(text(random))])
        xml.insert(below(random, xml.length + 1), [element])
      }
    }
  }
}

/** What a document says and has, in a form that can be compared with `toEqual`. */
export const contents = (doc: Y.Doc): unknown => ({
  text: doc
    .getText('text')
    .toDelta()
    .map((op: { insert: unknown; attributes?: unknown }) => ({
      insert: op.insert instanceof Y.AbstractType ? op.insert.toJSON() : op.insert,
      attributes: op.attributes,
    })),
  array: doc.getArray('array').toJSON().map(plain),
  map: plain(doc.getMap('map').toJSON()),
  xml: doc.getXmlFragment('xml').toString(),
  structs: new Map(
    [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort((left, right) => left[0] - right[0]),
  ),
  deletes: Y.createDeleteSetFromStructStore(doc.store).clients,
  waiting: doc.store.pendingStructs !== null || doc.store.pendingDs !== null,
})

/** Subdocuments as their guid: two replicas of one are never equal objects. */
const plain = (json: unknown): unknown => {
  if (json instanceof Y.Doc) return `subdocument ${json.guid}`
  if (json instanceof Uint8Array) return [...json]
  if (Array.isArray(json)) return json.map(plain)
  if (json !== null && typeof json === 'object') {
    return Object.entries(json)
      .map(([key, inner]) => [key, plain(inner)])
      .sort()
  }
  return json
}

/** A replica that has got these updates, in this order. */
export const replica = (updates: Iterable<Uint8Array>, gc = true): Y.Doc => {
  const doc = new Y.Doc({ gc })
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}
