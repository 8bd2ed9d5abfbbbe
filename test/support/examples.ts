/** A piece of code in a page of the docs. */
export interface Example {
  /** Line of the page on which it starts. */
  readonly line: number
  readonly code: string
}

const FENCE = /^```(tsx?|diff)\n(.*?)^```$/gms

/** What is left of a line of a diff once the change is made; null for one that goes. */
const after = (line: string): string | null =>
  line.startsWith('-') ? null : line.startsWith('+') || line.startsWith(' ') ? line.slice(1) : line

/** The TypeScript in a page: each block of `ts`, and what each block of `diff` leads to. */
export const examplesOf = (page: string): Example[] =>
  [...page.matchAll(FENCE)].map(({ 1: kind, 2: body = '', index }) => ({
    line: page.slice(0, index).split('\n').length + 1,
    code:
      kind !== 'diff'
        ? body
        : body
            .split('\n')
            .map(after)
            .filter((line) => line !== null)
            .join('\n'),
  }))
