/** How a process was started. */
export interface Start {
  /** Node, the script, its arguments. */
  readonly argv: readonly string[]
  /** Node's own options. */
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Node's version, without a v. */
  readonly version: string
  /** It was forked by a Node process that it can talk to. */
  readonly hasParent: boolean
}

/** How it should be started instead. */
export interface Restart {
  /** What follows `node`. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * glibc raises its threshold for memory that goes back to the system when it is freed with every large piece that is
 * freed: after one document of 20 MB each such piece stays. A threshold that is given stays as it is.
 */
const ALLOCATOR = {
  MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(128 * 1024),
  MALLOC_ARENA_MAX: '2',
} as const

/**
 * What lives in this server's JavaScript heap is about 20 MB, whatever the documents: by default V8 lets several times
 * that gather as garbage, in 32 MB for what is young and four times as much old as it found alive.
 */
const HEAP = ['--max-semi-space-size=4', '--heap-growing-percent=30'] as const

/** The newest Node that these settings were tried with: an unknown one would end the process with an error. */
const NEWEST_TRIED = 24

/**
 * How `inkwire serve` is to be started again so that it gives memory back: the allocator and the heap read their
 * settings only when a process starts. `null` when it isn't to be: it is no server, Node is too new to know, or the
 * environment has a setting of the allocator already, such as ours.
 *
 * @example
 *   const argv = ['node', 'main.js', 'serve']
 *   thriftyStart({ argv, execArgv: [], env: {}, version: '22.15.0', hasParent: false })?.args
 *   // ['--max-semi-space-size=4', '--heap-growing-percent=30', 'main.js', 'serve']
 */
export const thriftyStart = ({ argv, execArgv, env, version, hasParent }: Start): Restart | null => {
  const [, script, command] = argv
  if (script === undefined || command !== 'serve' || hasParent) return null
  if (Number(version.split('.')[0]) > NEWEST_TRIED) return null
  if (Object.keys(env).some((name) => name.startsWith('MALLOC_'))) return null
  const given = [...execArgv, env.NODE_OPTIONS ?? ''].join(' ')
  const heap = HEAP.filter((option) => !given.includes(option.slice(0, option.indexOf('='))))
  const kept = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return {
    args: [...heap, ...execArgv, ...argv.slice(1)],
    env: { ...Object.fromEntries(kept), ...ALLOCATOR },
  }
}
