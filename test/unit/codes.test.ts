import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Code, isPermanent } from '../../shared/codes.js'

const KNOWN: ReadonlySet<number> = new Set(Object.values(Code))
/** What a connection ends with whose frames break RFC 6455. */
const OF_FRAMES = [1002, 1007, 1008]

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const numbersIn = (text: string): number[] => (text.match(/\b(10[01]\d|4[45]\d\d)\b/g) ?? []).map(Number)

describe('C1: the table of codes', () => {
  it('has every code that the protocol names', () => {
    const named = new Set(numbersIn(read('shared/PROTOCOL.md')).filter((code) => code !== 1000))
    // The ends of C2's range, of which 4499 isn't used; and RFC 6455's own.
    for (const code of [4499, ...OF_FRAMES]) expect(named.delete(code)).toBe(true)
    expect([...named].filter((code) => !KNOWN.has(code))).toEqual([])
  })

  it('is the README’s', () => {
    const readme = read('README.md')
    const table = readme.slice(readme.indexOf('## Codes'), readme.indexOf('Errors thrown by the library'))
    const rows = table.split('\n').filter((line) => line.startsWith('| '))
    const codes = rows.flatMap((row) => numbersIn(row.split('|')[1] ?? ''))
    expect(codes.sort()).toEqual([...KNOWN, ...OF_FRAMES].sort())
  })

  it('is where the server takes its codes from: nothing is closed or refused with a number', () => {
    const files = readdirSync(new URL('../../server/', import.meta.url), {
      recursive: true,
      encoding: 'utf8',
    })
    const sources = files.filter((file) => file.endsWith('.ts') && !/^(cli|tools)\b/.test(file))
    expect(sources.length).toBeGreaterThan(100)
    const found = sources.filter((file) =>
      /(\bcode: |\b(close|terminate|end|reject|refused)\()[14]\d{3}\b/.test(read(`server/${file}`)),
    )
    expect(found).toEqual([])
  })
})

it('C2: codes from 4400 to 4499 are permanent, all others are not', () => {
  const permanent = Object.values(Code).filter(isPermanent)
  expect(permanent).toEqual([4400, 4401, 4403, 4404, 4409, 4410, 4413])
  expect([4399, 4400, 4499, 4500].map(isPermanent)).toEqual([false, true, true, false])
})
