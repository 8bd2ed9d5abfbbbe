import { afterAll, expect, vi } from 'vitest'

/*
 * Unit tests share a process: what one file leaves behind, another one would meet. So each is asked at its end whether
 * the process is as it was.
 */

/** What Node makes when it is first asked for isn't a value yet; marks of libraries begin with `__`. */
const globals = (): ReadonlyMap<string, PropertyDescriptor> =>
  new Map(
    Object.entries(Object.getOwnPropertyDescriptors(globalThis)).filter(([name]) => !name.startsWith('__')),
  )

/** What tests spy on. */
const methods = (): ReadonlyMap<string, unknown> =>
  new Map<string, unknown>([
    ['Math.random', Math.random],
    ['Date.now', Date.now],
    ['console.error', console.error],
    ['console.warn', console.warn],
    ['console.log', console.log],
  ])

const before = { globals: globals(), methods: methods(), env: { ...process.env } }

afterAll(() => {
  expect(vi.isFakeTimers(), 'the clock is faked').toBe(false)
  const after = globals()
  const changed = [...new Set([...after.keys(), ...before.globals.keys()])].filter((name) => {
    const was = before.globals.get(name)
    return !was?.get && !Object.is(was?.value, after.get(name)?.value)
  })
  expect(changed, 'globals that are not what they were').toEqual([])
  const spied = [...methods()].filter(([name, method]) => method !== before.methods.get(name))
  expect(
    spied.map(([name]) => name),
    'spies that are left',
  ).toEqual([])
  expect({ ...process.env }).toEqual(before.env)
})
