import { describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { textSource } from '../../client/frameworks/sources.js'

describe('the content of a text', () => {
  it('is the present one, followed or not', () => {
    const text = new Y.Doc().getText('t')
    const source = textSource(text)
    text.insert(0, 'a')
    expect(source.get()).toBe('a')
    const seen: string[] = []
    const stop = source.subscribe(() => seen.push(source.get()))
    expect(source.get()).toBe('a')
    text.insert(1, 'b')
    expect([seen, source.get()]).toEqual([['ab'], 'ab'])
    stop()
    text.insert(2, 'c')
    expect([seen, source.get()]).toEqual([['ab'], 'abc'])
    const again = source.subscribe(() => seen.push(source.get()))
    text.delete(0, 2)
    expect([seen.at(-1), source.get()]).toEqual(['c', 'c'])
    again()
  })

  it('is put together once per change, however many follow it and ask', () => {
    const text = new Y.Doc().getText('t')
    const source = textSource(text)
    const stops = [source.subscribe(() => source.get()), source.subscribe(() => source.get())]
    const reads = vi.spyOn(text as { toString(): string }, 'toString')
    for (const letter of 'abc') {
      text.insert(0, letter)
      source.get()
      source.get()
    }
    expect(reads).toHaveBeenCalledTimes(3)
    for (const stop of stops) stop()
    expect(text._eH.l).toEqual([])
  })

  it('of a text that is missing is empty', () => {
    expect(textSource(null).get()).toBe('')
    textSource(undefined).subscribe(() => {})()
  })
})
