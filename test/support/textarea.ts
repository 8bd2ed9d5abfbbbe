import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { PageExports, Scene, SceneOptions } from '../browser/pages/textarea.js'
import { bundle, type Ime, type PageServer, servePages, type TestPage, useBrowser } from './browser.js'

/** A page with a bound textarea. */
export interface TextareaPage extends TestPage {
  readonly ime: Ime
  /** What the element, the shared text and the selection are now; fails if the two replicas differ. */
  state(): Promise<{ value: string; shared: string; selection: [number, number] | null }>
  /** Resolves once all tasks and one frame that were due have run. */
  settled(): Promise<void>
}

/** Opens {@link TextareaPage}s for the tests of a file, the element focused. */
export const useTextarea = (): ((options?: SceneOptions) => Promise<TextareaPage>) => {
  const harness = useBrowser()
  let server: PageServer | undefined
  beforeAll(async () => {
    server = await servePages({
      '/': '<!doctype html><meta charset="utf-8"><body><script type="module" src="/page.js"></script>',
      '/page.js': await bundle('test/browser/pages/textarea.ts'),
    })
  })
  afterAll(() => server?.close())

  return async (options = {}) => {
    const opened = await harness.newPage()
    const { page } = opened
    await page.goto(server?.url ?? '')
    await page.evaluate((settings) => {
      start(settings).field.focus()
    }, options)
    return {
      ...opened,
      async state() {
        const now = await page.evaluate(() => ({
          value: field.value,
          shared: text.toString(),
          remote: remote.toString(),
          selection: [field.selectionStart, field.selectionEnd],
        }))
        expect(now.remote, 'both replicas').toBe(now.shared)
        const [start, end] = now.selection
        return {
          value: now.value,
          shared: now.shared,
          selection: typeof start === 'number' && typeof end === 'number' ? [start, end] : null,
        }
      },
      settled: () =>
        page.evaluate(
          () => new Promise<void>((resolve) => setTimeout(() => requestAnimationFrame(() => resolve()))),
        ),
    }
  }
}

/** Somebody with a cursor. */
export const ada = { name: 'Ada', color: '#e91e63' }

/** What is drawn: carets, names and pieces of selections, and where they are on the screen. */
export const drawn = (page: Page) =>
  page.evaluate(() => {
    const marks = [...(document.querySelector('inkwire-cursors')?.lastElementChild?.children ?? [])]
    const of = (nodes: Element[]) =>
      nodes.map((node) => {
        const { x, y, width, height } = node.getBoundingClientRect()
        const { backgroundColor, color, textOverflow } = getComputedStyle(node)
        const cut = node.scrollWidth > node.clientWidth ? textOverflow : null
        return { x, y, width, height, text: node.textContent, backgroundColor, color, cut }
      })
    const isPiece = (node: Element) => getComputedStyle(node).opacity !== '1'
    return {
      carets: of(marks.filter((node) => !isPiece(node))),
      names: of(marks.flatMap((node) => [...node.children])),
      pieces: of(marks.filter(isPiece)),
    }
  })

// The page's globals, for the functions that are evaluated in it.
declare global {
  const Y: PageExports['Y']
  const Awareness: PageExports['Awareness']
  const bindTextarea: PageExports['bindTextarea']
  const bindInput: PageExports['bindInput']
  const start: (options?: SceneOptions) => Scene
  const field: Scene['field']
  const binding: Scene['binding']
  const text: Scene['text']
  const remote: Scene['remote']
  const awareness: Scene['awareness']
  const remoteAwareness: Scene['remoteAwareness']
  const transactions: Scene['transactions']
  const point: Scene['point']
  const grant: Scene['grant']
}
