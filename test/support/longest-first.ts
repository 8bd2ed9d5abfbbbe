import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that take much longer than the others, the longest first. */
const LONG = [
  'browser/editors',
  'fuzz/convergence-simulated',
  'integration/traces',
  'integration/shared-same',
  'integration/tools-rollback',
  'browser/demo-page',
  'integration/client-tokens',
  'browser/offline-tabs',
  'integration/tools-commands',
  'browser/two-people',
  'integration/tools-migrate',
  'browser/textarea-cursors',
]

const fileOf = (name: string): string => fileURLToPath(new URL(`../${name}.test.ts`, import.meta.url))

/**
 * What takes longest begins first, so that no worker is left with a long file at the end; and the files that share a
 * process come last, together, since a process is kept only for another one of them.
 */
export class LongestFirst extends BaseSequencer {
  readonly #long = LONG.map(fileOf)

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = this.#long.find((file) => !existsSync(file))
    if (gone) throw new Error(`${gone} is said to take long, and isn't there`)
    const place = ({ moduleId, project }: TestSpecification): number => {
      if (!project.config.isolate) return Infinity
      const index = this.#long.indexOf(moduleId)
      return index < 0 ? LONG.length : index
    }
    // Stable: the rest stays in Vitest's order.
    return (await super.sort(files)).sort((one, other) => {
      const [a, b] = [place(one), place(other)]
      return a === b ? 0 : a - b
    })
  }
}
