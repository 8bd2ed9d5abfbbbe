import { expect, it } from 'vitest'
import { type Start, thriftyStart } from '../../server/cli/thrifty-start.js'

const SERVE: Start = {
  argv: ['/bin/node', '/app/main.js', 'serve', '--port', '0'],
  execArgv: ['--enable-source-maps'],
  env: { HOME: '/root', GONE: undefined },
  version: '22.15.0',
  hasParent: false,
}

it('starts a server again with settings for allocator and heap, all else as it was', () => {
  const again = thriftyStart(SERVE)
  expect(again?.args).toEqual([
    '--max-semi-space-size=4',
    '--heap-growing-percent=30',
    '--enable-source-maps',
    '/app/main.js',
    'serve',
    '--port',
    '0',
  ])
  expect(again?.env).toEqual({
    HOME: '/root',
    MALLOC_MMAP_THRESHOLD_: '131072',
    MALLOC_TRIM_THRESHOLD_: '131072',
    MALLOC_ARENA_MAX: '2',
  })
})

it('does so once', () => {
  const again = thriftyStart(SERVE)
  const [first, second, ...rest] = again?.args ?? []
  expect(rest.slice(1)).toEqual(SERVE.argv.slice(1))
  const started = { ...SERVE, execArgv: [first ?? '', second ?? ''], env: again?.env ?? {} }
  expect(thriftyStart(started)).toBeNull()
})

it('leaves other commands, forked processes and whoever has set the allocator alone', () => {
  expect(thriftyStart({ ...SERVE, argv: ['/bin/node', '/app/main.js', 'list'] })).toBeNull()
  expect(thriftyStart({ ...SERVE, argv: ['/bin/node', '/app/main.js'] })).toBeNull()
  expect(thriftyStart({ ...SERVE, version: '25.0.0' }), 'settings that may be unknown').toBeNull()
  expect(thriftyStart({ ...SERVE, hasParent: true })).toBeNull()
  expect(thriftyStart({ ...SERVE, env: { MALLOC_ARENA_MAX: '8' } })).toBeNull()
})

it('gives way to settings of the heap that somebody gave', () => {
  const [first] = thriftyStart({ ...SERVE, execArgv: ['--max-semi-space-size=64'] })?.args ?? []
  expect(first).toBe('--heap-growing-percent=30')
  const env = { NODE_OPTIONS: '--max-semi-space-size=64' }
  expect(thriftyStart({ ...SERVE, env })?.args[0]).toBe('--heap-growing-percent=30')
})
