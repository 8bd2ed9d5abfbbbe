import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.js'

const report = process.env.INKWIRE_TEST_REPORT

const UNIT = 'test/unit/**/*.test.ts'
/** Unit tests about what it does to a process, or doesn't, that something is imported: it has to be a new one. */
const OF_IMPORTS = 'test/unit/{http-pages,textarea-import,react-server,vue-svelte-server}.test.ts'

export default defineConfig({
  test: {
    // Real processes, disks and browsers: a step may be slow on a small machine, but never without end.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // The built package is what integration tests run: load it as Node would.
    server: { deps: { external: [/\/dist\//] } },
    pool: 'forks',
    // More than the cores of a small machine: much of a test's time is spent waiting.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        extends: true,
        test: { name: 'a process each', include: ['test/!(unit)/**/*.test.ts', OF_IMPORTS] },
      },
      {
        extends: true,
        test: {
          name: 'unit',
          include: [UNIT],
          exclude: [OF_IMPORTS],
          // Most of these files take less time than a process of their own and its imports would.
          isolate: false,
          setupFiles: ['test/support/leaves-no-trace.ts'],
        },
      },
    ],
  },
})
