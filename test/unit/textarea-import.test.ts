import { expect, it } from 'vitest'

it('can be imported without a browser, as a server that renders pages does', async () => {
  expect(typeof (globalThis as { document?: unknown }).document).toBe('undefined')
  const { bindInput, bindTextarea } = await import('../../client/textarea/index.js')
  expect([typeof bindTextarea, typeof bindInput]).toEqual(['function', 'function'])
})
