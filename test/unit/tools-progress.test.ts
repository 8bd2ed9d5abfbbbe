import { describe, expect, it } from 'vitest'
import { bytes, moment, table } from '../../server/cli/table.js'
import { inParallel } from '../../server/tools/in-parallel.js'
import { bar, showProgress } from '../../server/tools/progress.js'

const output = (isTTY: boolean) => {
  const written: string[] = []
  return { written, isTTY, write: (text: string) => written.push(text) }
}

describe('progress', () => {
  it('is a bar on a terminal, redrawn at most ten times a second, and gone in the end', () => {
    let now = 0
    const terminal = output(true)
    const progress = showProgress(terminal, () => now)('backup', 4)
    progress.advance()
    now = 99
    progress.advance()
    now = 100
    progress.advance()
    progress.end()
    expect(terminal.written).toEqual([
      `\rbackup ${bar(0, 4)}\x1b[K`,
      `\rbackup ${bar(3, 4)}\x1b[K`,
      '\r\x1b[K',
    ])
  })

  it('is a plain line every few seconds elsewhere, and none for short work', () => {
    let now = 0
    const file = output(false)
    const progress = showProgress(file, () => now)('migrate', 10)
    for (let i = 0; i < 10; i++) {
      now += 1100
      progress.advance()
    }
    progress.end()
    expect(file.written).toEqual(['migrate: 5 of 10\n', 'migrate: 10 of 10\n'])
    const short = output(false)
    const quick = showProgress(short, () => now)('migrate', 10)
    quick.advance(10)
    quick.end()
    expect(short.written).toEqual([])
  })

  it('draws what there is', () => {
    expect(bar(1, 2)).toBe('███████████████░░░░░░░░░░░░░░░  50% 1/2')
    expect(bar(0, 0)).toBe('██████████████████████████████ 100% 0/0')
    expect(bar(9, 3)).toContain('100% 9/3')
  })
})

describe('work in parallel', () => {
  const never = new AbortController().signal

  it('does everything once, so many at a time', async () => {
    let running = 0
    let most = 0
    const done: number[] = []
    await inParallel([1, 2, 3, 4, 5, 6, 7], 3, never, async (n) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      done.push(n)
    })
    expect(most).toBe(3)
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('starts nothing after an error, and waits for what runs', async () => {
    const started: number[] = []
    let finished = 0
    const work = inParallel([1, 2, 3, 4, 5], 2, never, async (n) => {
      started.push(n)
      if (n === 1) throw new Error('first')
      await new Promise((resolve) => setImmediate(resolve))
      finished++
    })
    await expect(work).rejects.toThrow('first')
    expect({ started, finished }).toEqual({ started: [1, 2], finished: 1 })
  })

  it('stops at a signal', async () => {
    const stop = new AbortController()
    const started: number[] = []
    const work = inParallel([1, 2, 3], 1, stop.signal, async (n) => {
      started.push(n)
      stop.abort(new Error('enough'))
    })
    await expect(work).rejects.toThrow('enough')
    expect(started).toEqual([1])
  })
})

describe('a table', () => {
  it('is as wide as its cells', () => {
    const columns = [{ title: 'SIZE', right: true }, { title: 'DOCUMENT' }]
    expect(
      table(columns, [
        ['1 B', 'a'],
        ['123 kB', 'long name'],
      ]),
    ).toBe('  SIZE  DOCUMENT\n   1 B  a\n123 kB  long name\n')
  })

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_949, '99.9 kB'],
    [99_951, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [5e15, '5000 TB'],
  ])('%d bytes: %s', (count, text) => {
    expect(bytes(count)).toBe(text)
  })

  it('a moment, to the second', () => {
    expect(moment(1_700_000_000_999)).toBe('2023-11-14 22:13:20Z')
  })
})
