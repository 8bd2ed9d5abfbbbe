import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NAMES } from '../bench/line.js'
import { headlinesOf, type Result, tableOf, withTable } from '../bench/report.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const results = (JSON.parse(read('test/bench/results/latest.json')) as { results: Result[] }).results

describe('what is shown of the benchmark', () => {
  it('is its last full run', () => {
    expect(read('test/bench/results/table.md').trim()).toBe(tableOf(results, NAMES))
    expect(withTable(read('README.md'), headlinesOf(results, NAMES))).toBe(read('README.md'))
  })

  it('goes where the marks are, in place of what was there', () => {
    const [start, end] = ['<!-- npm run bench writes this table -->', '<!-- to here -->']
    const once = withTable(`before\n${start}\nold\n${end}\nafter`, '| a |')
    expect(once).toBe(`before\n${start}\n\n| a |\n\n${end}\nafter`)
    expect(withTable(once, '| a |')).toBe(once)
    expect(() => withTable('no marks', '')).toThrow('README')
  })
})
