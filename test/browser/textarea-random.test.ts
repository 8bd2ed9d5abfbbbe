import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundle, type PageServer, servePages, type TestPage, useBrowser } from '../support/browser.js'
import { below, pick, seeded } from '../support/random-edits.js'

const FIRST = Number(process.env.INKWIRE_SEED ?? 1)
const ROUNDS = Number(process.env.INKWIRE_ROUNDS ?? 4)
const STEPS = Number(process.env.INKWIRE_STEPS ?? 70)

/** Seeds that once failed stay here. */
const PINNED: readonly number[] = []

const harness = useBrowser()
let server: PageServer | undefined
beforeAll(async () => {
  server = await servePages({
    '/': '<!doctype html><meta charset="utf-8"><body><script type="module" src="/page.js"></script>',
    '/page.js': await bundle('test/browser/pages/textarea-pair.ts'),
  })
})
afterAll(() => server?.close())

const WORDS = ['a', 'b', 'aa', ' ', 'word ', '\n', '😀', '😁', '👩‍👩‍👧', 'é', '你', 'x\ny\n']
const KEYS = [
  'Enter',
  'Backspace',
  'Delete',
  'ArrowLeft',
  'Shift+ArrowLeft',
  'Shift+ArrowRight',
  'Home',
  'End',
]

/** A page of the pair, and what goes on in it. */
interface Side extends TestPage {
  composing: boolean
}

/** One random step of one author; gives what it was, for the report of a failure. */
const act = async (side: Side, random: () => number): Promise<string> => {
  const { page, ime } = side
  const word = pick(random, WORDS)
  if (side.composing) {
    const step = below(random, 4)
    side.composing = step < 2
    if (step < 2) await ime.compose(word.trim() || 'n')
    else if (step === 2) await ime.commit(word)
    else await page.evaluate(() => window.side.field.blur())
    await page.evaluate(() => window.side.field.focus())
    return ['compose', 'compose', 'commit', 'blur'][step] ?? ''
  }
  const step = below(random, 14)
  if (step < 4) await page.keyboard.insertText(word)
  else if (step < 7) await page.keyboard.press(pick(random, KEYS))
  else if (step < 9) {
    const range = { from: random(), to: random() < 0.5 ? -1 : random(), back: random() < 0.5 }
    await page.evaluate(({ from, to, back }) => {
      window.side.select(from, to < 0 ? from : to, back ? 'backward' : 'forward')
    }, range)
  } else if (step < 11) {
    await ime.compose(word.trim() || 'n')
    side.composing = true
  } else if (step === 11) await page.keyboard.press('Control+Z')
  else if (step === 12) await page.keyboard.press('Control+Y')
  else
    await page.evaluate((inserted) => {
      const { field, binding, put } = window.side
      const middle = field.selectionStart
      const value = field.value.slice(0, middle) + inserted + field.value.slice(middle)
      if (inserted.length % 2) put(value)
      else binding.setValue(value)
    }, word)
  return `${step} ${JSON.stringify(word)}`
}

/** Lets the tasks that are due run: a composition settles in one. */
const settle = ({ page }: Side) =>
  page.evaluate(() => new Promise<void>((resolve) => setTimeout(() => setTimeout(resolve))))

const send = async (from: Side, to: Side): Promise<number> => {
  const parcels = await from.page.evaluate(() => window.side.take())
  await to.page.evaluate((sent) => window.side.deliver(sent), parcels)
  return parcels.filter((parcel) => parcel.kind === 'text').length
}

const run = async (seed: number): Promise<void> => {
  const random = seeded(seed)
  const sides: Side[] = []
  for (const client of [1, 2]) {
    const opened = await harness.newPage()
    await opened.page.goto(server?.url ?? '')
    const options = {
      client,
      composition: pick(random, ['stream', 'hold'] as const),
      captureTimeout: pick(random, [0, 1e9]),
    }
    await opened.page.evaluate((given) => {
      window.side = window.join(given)
    }, options)
    sides.push({ ...opened, composing: false })
  }
  const [a, b] = sides
  if (!a || !b) throw new Error('two pages')

  for (let step = 0; step < STEPS; step++) {
    const side = pick(random, sides)
    const done = await act(side, random)
    await settle(side)
    await side.page.evaluate((what) => window.side.check(what), `after ${done}`)
    if (random() < 0.4) await send(a, b)
    if (random() < 0.4) await send(b, a)
  }

  for (const side of sides) {
    if (side.composing) await side.ime.commit('!')
    await side.page.evaluate(() => window.side.field.focus())
    await side.page.keyboard.insertText('.') // takes up what a script has set
    await settle(side)
  }
  while ((await send(a, b)) + (await send(b, a)) > 0);
  const [left, right] = await Promise.all(
    sides.map(({ page }) => page.evaluate(() => [window.side.text(), window.side.field.value])),
  )
  expect(left).toEqual(right)
  expect(left?.[1]).toBe(left?.[0])
}

describe('textareas of two authors who type, paste, undo, compose and select at random', () => {
  const seeds = [...new Set([...PINNED, ...Array.from({ length: ROUNDS }, (_, round) => FIRST + round)])]
  for (const seed of seeds)
    it(
      `show the same, with the selection where it belongs (INKWIRE_SEED=${seed} INKWIRE_ROUNDS=1 npx vitest run test/browser/textarea-random)`,
      () => run(seed),
      120_000,
    )
})
