import { describe, expect, it } from 'vitest'
import { circlesIn, type Import, importsOf, sourcesBelow } from '../support/imports.js'

/** A part of the house: which files it is, and what they may import beside each other. */
interface Part {
  /** Files whose path starts with one of these. The longest prefix of all parts decides. */
  readonly files: readonly string[]
  readonly imports: readonly string[]
  /** Parts of which it may know types only: contracts that others fulfil. */
  readonly types?: readonly string[]
  /** Packages, `node:` among them for all of Node's. */
  readonly packages?: readonly string[]
}

const list = (names: string): readonly string[] => names.split(', ')

/**
 * ARCHITECTURE.md's map as a table, lowest parts first. An import that isn't in it runs upward or sideways, or
 * brings a package to where it isn't to be known.
 */
const HOUSE: Readonly<Record<string, Part>> = {
  wire: { files: ['shared/'], imports: [], packages: ['lib0'] },

  frame: { files: ['server/websocket/frame.ts'], imports: [] },
  websocket: { files: ['server/websocket/'], imports: ['frame'], packages: ['node:'] },
  observe: { files: ['server/observe/'], imports: [], packages: ['node:', 'pino', 'prom-client'] },
  update: { files: ['server/update/'], imports: ['wire'] },
  bucket: { files: ['server/limits/bucket.ts'], imports: [] },
  'journal contract': { files: ['server/journal/journal.ts'], imports: [] },
  journal: {
    files: ['server/journal/'],
    imports: ['wire', 'bucket'],
    types: ['journal contract'],
    packages: ['node:', 'level', 'lib0', '@node-rs/crc32'],
  },
  rollback: { files: ['server/documents/rollback.ts'], imports: ['wire'], types: ['journal contract'] },
  worker: { files: ['server/worker/'], imports: ['wire', 'update'], packages: ['yjs', 'piscina', 'lib0'] },
  room: {
    files: ['server/room/'],
    imports: ['bucket', 'wire', 'frame', 'update'],
    types: ['journal contract', 'observe'],
    packages: ['lib0'],
  },
  documents: {
    files: ['server/documents/documents.ts'],
    imports: ['wire', 'update', 'rollback'],
    types: ['journal contract', 'room', 'worker'],
  },
  control: {
    files: ['server/control/'],
    imports: ['wire'],
    types: ['documents', 'auth', 'rollback', 'journal contract', 'journal', 'observe'],
    packages: ['node:', 'hono', '@hono/node-server', 'lib0', 'zod'],
  },
  'data folder': { files: ['server/data-folder.ts'], imports: ['wire', 'journal', 'control'] },
  tools: {
    files: ['server/tools/'],
    imports: ['wire', 'update', 'worker', 'rollback'],
    types: ['journal contract', 'journal'],
    packages: ['node:', 'level', 'lib0', 'yjs', 'zod'],
  },
  limits: { files: ['server/limits/'], imports: ['wire', 'bucket'], packages: ['node:'] },
  session: {
    files: ['server/session/'],
    imports: ['wire', 'frame', 'room', 'bucket'],
    types: ['limits', 'observe'],
  },
  'slow commits': { files: ['server/session/slow-commits.ts'], imports: [], types: ['session'] },
  connection: {
    files: ['server/clients/connection.ts'],
    imports: ['wire', 'frame'],
    types: ['session', 'websocket'],
  },
  connections: {
    files: ['server/clients/connections.ts'],
    imports: [],
    types: ['connection', 'session', 'observe'],
  },
  auth: { files: ['server/auth/'], imports: ['wire'], packages: ['node:', 'jose', 'zod'] },
  admission: { files: ['server/clients/admission.ts'], imports: ['wire', 'auth'], types: ['session'] },
  visit: {
    files: ['server/clients/visit.ts'],
    imports: ['wire', 'room', 'session', 'admission'],
    types: list('connections, limits, observe, events'),
    packages: ['node:'],
  },
  trunk: {
    files: ['server/clients/trunk.ts', 'server/clients/channel.ts'],
    imports: ['wire', 'frame'],
    types: list('connections, session, limits, observe'),
  },
  gate: { files: ['server/gate/'], imports: ['wire', 'auth', 'websocket'], packages: ['node:'] },
  'warm-up': {
    files: ['server/warm-up/'],
    imports: ['wire', 'websocket'],
    types: ['config', 'server'],
    packages: ['node:', 'lib0'],
  },
  clients: {
    files: ['server/clients/clients.ts'],
    imports: list('wire, auth, gate, visit, trunk, connection, connections, limits, observe'),
    types: list('admission, session'),
    packages: ['node:'],
  },
  http: { files: ['server/http/'], imports: ['observe'], packages: ['node:', 'hono', '@hono/node-server'] },
  config: {
    files: ['server/config.ts'],
    imports: ['wire', 'observe', 'auth', 'limits'],
    packages: ['node:', 'zod'],
  },
  events: { files: ['server/events.ts'], imports: [], types: ['journal contract'] },
  store: { files: ['server/store.ts'], imports: [], types: ['journal contract'] },
  readiness: { files: ['server/readiness.ts'], imports: [], types: ['journal contract'] },
  listening: { files: ['server/listening.ts'], imports: [], types: ['events'], packages: ['node:'] },
  server: {
    files: ['server/server.ts', 'server/parts.ts', 'server/news.ts', 'server/inkwire-server.ts'],
    imports: list(
      'wire, config, events, observe, worker, room, documents, slow commits, auth, clients, gate, http, control, ' +
        'data folder, limits, store, readiness, listening, warm-up, websocket',
    ),
    types: ['journal contract', 'journal'],
    packages: ['node:'],
  },
  'command line': {
    files: ['server/cli/'],
    imports: list('wire, config, observe, journal, worker, update, auth, control, tools, limits'),
    types: ['journal contract', 'rollback'],
    packages: ['node:', 'commander', 'jose'],
  },
  'main program': {
    files: ['server/main.ts', 'server/command-line.ts'],
    imports: ['command line', 'server', 'data folder', 'observe'],
    packages: ['node:'],
  },
  library: {
    files: ['server/index.ts'],
    imports: ['wire', 'auth', 'server'],
    types: list('config, documents, events, journal contract, limits, observe, rollback'),
  },

  // The core of the client loads it when it is asked for; it knows the core as an interface.
  offline: { files: ['client/offline/'], imports: ['wire'], packages: ['yjs'] },
  client: { files: ['client/'], imports: ['wire', 'offline'], packages: ['yjs', 'y-protocols', 'lib0'] },
  'shared connections': { files: ['client/shared/'], imports: ['wire', 'client'] },
  textarea: { files: ['client/textarea/'], imports: [], packages: ['yjs'] },
  presence: { files: ['client/presence/'], imports: [] },
  undo: { files: ['client/undo/'], imports: [], packages: ['yjs'] },
  access: { files: ['client/access/'], imports: [] },
  anchors: { files: ['client/anchors/'], imports: [], packages: ['yjs'] },
  frameworks: {
    files: ['client/frameworks/'],
    imports: ['client'],
    types: ['presence'],
    packages: ['yjs'],
  },
  react: {
    files: ['client/react/'],
    imports: ['frameworks', 'presence'],
    types: ['client'],
    packages: ['react', 'yjs'],
  },
  svelte: {
    files: ['client/svelte/'],
    imports: ['frameworks', 'presence'],
    types: ['client'],
    packages: ['svelte', 'yjs'],
  },
  vue: {
    files: ['client/vue/'],
    imports: ['frameworks', 'presence'],
    types: ['client'],
    packages: ['vue', 'yjs'],
  },
  demo: {
    files: ['client/demo/'],
    imports: ['client', 'textarea', 'offline', 'rich text'],
    packages: ['yjs'],
  },
  'rich text': {
    files: ['client/demo/rich/'],
    imports: ['demo'],
    packages: list(
      'yjs, y-protocols, y-prosemirror, prosemirror-commands, prosemirror-inputrules, prosemirror-keymap, ' +
        'prosemirror-model, prosemirror-schema-list, prosemirror-state, prosemirror-view',
    ),
  },
  'editor pages': {
    files: ['client/demo/editors/'],
    imports: ['client', 'access', 'presence', 'undo', 'demo'],
    packages: list(
      'node:, vite, yjs, react, react-dom, @codemirror, y-codemirror.next, @tiptap, @blocknote, quill, quill-cursors, y-quill, ' +
        'monaco-editor, y-monaco, @lexical',
    ),
  },

  tests: { files: ['test/'], imports: [] },
}

/** Pairs of files that know each other's types. Nothing of it is left after compiling; still, let them not grow. */
const TYPE_CIRCLES: readonly (readonly [string, string])[] = [
  // An option's callback is handed the provider.
  ['client/options.ts', 'client/provider.ts'],
  // A command is a function that the program calls and whose type it states.
  ['server/cli/program.ts', 'server/cli/'],
  // The log changes its journal's documents.
  ['server/journal/memory.ts', 'server/journal/memory-log.ts'],
]

const SOURCES = sourcesBelow('server', 'client', 'shared')
const IMPORTS = importsOf(SOURCES)

const partOf = (file: string): string | undefined => {
  const matches = Object.entries(HOUSE).flatMap(([name, { files }]) =>
    files.filter((prefix) => file.startsWith(prefix)).map((prefix) => ({ name, length: prefix.length })),
  )
  return matches.sort((left, right) => right.length - left.length)[0]?.name
}

const isPackage = (specifier: string, allowed: string): boolean =>
  allowed === 'node:'
    ? specifier.startsWith('node:')
    : specifier === allowed || specifier.startsWith(`${allowed}/`)

/** What is wrong with an import, in words; `null` if nothing is. */
const problemWith = ({ from, to, inside, typeOnly }: Import): string | null => {
  const name = partOf(from)
  const part = name === undefined ? undefined : HOUSE[name]
  if (name === undefined || part === undefined) return `${from} belongs to no part of the house`
  if (!inside) {
    if (part.packages?.some((allowed) => isPackage(to, allowed))) return null
    return `the part "${name}" may not know the package ${to}`
  }
  const target = partOf(to)
  if (target === name) return null
  if (target === undefined) return `${to} belongs to no part of the house`
  if (part.imports.includes(target)) return null
  if (!part.types?.includes(target)) return `the part "${name}" may not import from "${target}"`
  return typeOnly ? null : `the part "${name}" may import only types from "${target}"`
}

const problems = (imports: readonly Import[]): string[] =>
  imports.flatMap((each) => {
    // A test of its own names files without a place.
    const problem = partOf(each.from) === undefined ? null : problemWith(each)
    return problem === null
      ? []
      : [`${each.from}:${each.line} imports ${each.to}: ${problem} (see ARCHITECTURE.md)`]
  })

describe('who may import whom', () => {
  it('every file has its place in the house', () => {
    expect(SOURCES.length).toBeGreaterThan(100)
    expect(SOURCES.filter((file) => partOf(file) === undefined)).toEqual([])
  })

  it('every place in the table is inhabited', () => {
    const inhabited = new Set([...SOURCES, 'test/'].map(partOf))
    expect(Object.keys(HOUSE).filter((name) => !inhabited.has(name))).toEqual([])
  })

  it('no import runs upward, server and client never meet, and nothing imports tests', () => {
    expect(IMPORTS.length).toBeGreaterThan(200)
    expect(problems(IMPORTS)).toEqual([])
  })

  it('the table allows nothing that no import needs', () => {
    const unneeded = Object.entries(HOUSE).flatMap(([name, { imports, types = [], packages = [] }]) => {
      const own = IMPORTS.filter(({ from }) => partOf(from) === name)
      const from = (part: string, typeOnly: boolean): boolean =>
        own.some((each) => each.inside && partOf(each.to) === part && each.typeOnly === typeOnly)
      return [
        ...imports.filter((part) => !from(part, false)),
        ...types.filter((part) => !from(part, true)),
        ...packages.filter((allowed) => !own.some(({ to, inside }) => !inside && isPackage(to, allowed))),
      ].map((unused) => `"${name}" needs no "${unused}"`)
    })
    expect(unneeded).toEqual([])
  })

  it('no file imports itself in a circle', () => {
    const inside = IMPORTS.filter((each) => each.inside)
    expect(circlesIn(inside.filter((each) => !each.typeOnly)).map((circle) => circle.join(' → '))).toEqual([])
  })

  it('types go in circles at known places only', () => {
    const circles = circlesIn(IMPORTS.filter((each) => each.inside))
    const unknown = circles.filter(
      (circle) =>
        !TYPE_CIRCLES.some((known) =>
          known.every((prefix) => circle.some((file) => file.startsWith(prefix))),
        ),
    )
    expect(unknown.map((circle) => circle.join(' → '))).toEqual([])
  })
})

describe('this test itself', () => {
  it.each<[Omit<Import, 'line' | 'inside' | 'typeOnly'>, string]>([
    [{ from: 'shared/codec.ts', to: 'server/websocket/frame.ts' }, '"wire" may not import from "frame"'],
    [{ from: 'client/sync.ts', to: 'server/websocket/frame.ts' }, '"client" may not import from "frame"'],
    [{ from: 'server/server.ts', to: 'client/index.ts' }, '"server" may not import from "client"'],
    [
      { from: 'server/websocket/frame.ts', to: 'test/support/until.ts' },
      '"frame" may not import from "tests"',
    ],
    [
      { from: 'server/room/room.ts', to: 'server/session/session.ts' },
      '"room" may not import from "session"',
    ],
    [
      { from: 'server/room/room.ts', to: 'server/journal/journal.ts' },
      '"room" may import only types from "journal contract"',
    ],
    [{ from: 'server/room/room.ts', to: 'server/journal/level.ts' }, '"room" may not import from "journal"'],
    [
      { from: 'server/journal/load.ts', to: 'server/update/scan.ts' },
      '"journal" may not import from "update"',
    ],
    [{ from: 'server/new/file.ts', to: 'server/websocket/frame.ts' }, 'belongs to no part'],
  ])('finds fault with %j', (each, complaint) => {
    expect(problemWith({ ...each, line: 1, inside: true, typeOnly: false })).toContain(complaint)
  })

  it.each([
    ['server/room/room.ts', 'ws'],
    ['server/room/room.ts', 'yjs'],
    ['server/journal/level.ts', 'yjs'],
    ['server/update/scan.ts', 'yjs'],
    ['shared/codec.ts', 'node:buffer'],
    ['client/sync.ts', 'node:buffer'],
  ])('finds fault with %s importing %s', (from, to) => {
    expect(problemWith({ from, to, line: 1, inside: false, typeOnly: true })).toContain(`the package ${to}`)
  })
})
