/** What the import rules go by: finding imports in sources, and circles among them. */
import { describe, expect, it } from 'vitest'
import { circlesIn, requestsOf } from '../support/imports.js'

describe('imports in a source', () => {
  const forms: [source: string, specifier: string, typeOnly: boolean][] = [
    ["import { a } from './x.js'", './x.js', false],
    ["import {\n  a,\n  type B,\n} from './x.js'", './x.js', false],
    ["import { type A, type B } from './x.js'", './x.js', true],
    ["import type { A } from './x.js'", './x.js', true],
    ["import * as x from 'lib0/x'", 'lib0/x', false],
    ["import x from 'ws'", 'ws', false],
    ["import x, { y } from 'ws'", 'ws', false],
    ["import './x.js'", './x.js', false],
    ["export { a } from './x.js'", './x.js', false],
    ["export * from './x.js'", './x.js', false],
    ["export type { A } from './x.js'", './x.js', true],
    ["const x = await import('./x.js')", './x.js', false],
    ["let x: import('./x.js').X", './x.js', false],
    ["start(new URL('./x.js', import.meta.url))", './x.js', false],
  ]

  it.each(forms)('sees %j', (source, specifier, typeOnly) => {
    expect(requestsOf(`export const a = 1\n${source}\n`)).toEqual([{ specifier, typeOnly, line: 2 }])
  })

  it('is not taken in by comments and strings', () => {
    const source =
      " * import { a } from './x.js'\n// import './x.js'\n  // see import('./y.js')\nf('import x')\n"
    expect(requestsOf(source)).toEqual([])
  })
})

it('finds circles', () => {
  const edges = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'b' },
    { from: 'c', to: 'd' },
  ]
  expect(circlesIn(edges)).toEqual([['b', 'c', 'b']])
})
