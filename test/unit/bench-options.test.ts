/** What the benchmark can be asked to do. */
import { expect, test } from 'vitest'
import { NAMES } from '../bench/line.js'
import { parseOptions } from '../bench/options.js'

const LINES = ['burst', 'idle', 'paper']
const parse = (...args: string[]): { options: ReturnType<typeof parseOptions>; said: string } => {
  let said = ''
  const options = parseOptions(args, LINES, (text) => {
    said += text
  })
  return { options, said }
}

test('nothing in particular: everything against everybody', () => {
  expect(parse()).toEqual({ options: { quick: false, lifetime: false, against: NAMES }, said: '' })
})

test('lines and contenders, each separated by commas', () => {
  expect(parse('--only', 'burst,idle', '--against=inkwire,naive').options).toMatchObject({
    only: ['burst', 'idle'],
    against: ['inkwire', 'naive'],
  })
})

test.each([
  [['--only', 'burst,bursts'], /There are burst, idle, paper\./],
  [['--against', 'nobody'], /There are inkwire, y-websocket-server, /],
  [['--fast'], /unknown option '--fast'/],
  [['burst'], /too many arguments/],
])('what there isn’t ends with 2 and a word about it: %j', (args, words) => {
  const { options, said } = parse(...args)
  expect(options).toBe(2)
  expect(said).toMatch(words)
})

test('help says which lines there are', () => {
  const { options, said } = parse('--help')
  expect(options).toBe(0)
  expect(said).toContain('burst, idle, paper')
  expect(said).not.toContain('joiners')
})
