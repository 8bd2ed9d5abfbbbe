/**
 * What a worker thread begins with. Piscina tries `require` first, and Node (20.19, 22.12 and later) loads an ES module
 * that way in one go: a thread that is killed in the middle of it ends the whole process (`v8::Module::IsGraphAsync must
 * be used on an instantiated module`). Loaded by `import()` it can be killed at any time.
 */
const jobs = (): Promise<typeof import('./worker.js')> => import('./worker.js')

type Jobs = Awaited<ReturnType<typeof jobs>>

export = {
  compact: async (packed: Parameters<Jobs['compact']>[0]): Promise<unknown> => (await jobs()).compact(packed),
  render: async (message: Parameters<Jobs['render']>[0]): Promise<unknown> => (await jobs()).render(message),
}
