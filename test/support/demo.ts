import {
  type BrowserContext,
  type BrowserContextOptions,
  devices,
  type Locator,
  type Page,
} from 'playwright-core'
import { onTestFinished } from 'vitest'
import type { BrowserHarness, TestPage } from './browser.js'
import { until } from './until.js'

/** The demo in a window of somebody's own browser. */
export interface DemoPage extends TestPage {
  /** Where plain text is typed. */
  readonly field: Locator
  /** Where rich text is. */
  readonly rich: Locator
  /** Carets of others, with their names in them. */
  readonly carets: Locator
  /** Pieces of what others have selected. */
  readonly selections: Locator
  /** Waits until the field shows exactly this. */
  shows(text: string): Promise<void>
  /** Waits until the rich text has exactly these blocks, each as its tag and its text: `h2 Title`. */
  showsRich(...blocks: readonly string[]): Promise<void>
  /** Makes a new document, by the list. */
  create(kind: 'plain' | 'rich'): Promise<void>
  /** Opens the list of documents, where it isn't open anyway. */
  openList(): Promise<void>
  /** Waits until the status bar's headline is this. */
  says(headline: string): Promise<void>
  /** Waits until the indicator claims that every edit is safe. */
  safe(): Promise<void>
  /** What the indicator claims now. */
  claim(): Promise<string>
  /** Everything that the indicator has claimed since the page was loaded, in order. */
  claims(): Promise<readonly string[]>
  /** Takes out the errors that a browser logs when a server is away. */
  forgiveOutage(): void
}

/** How somebody opens the demo. */
export interface DemoOptions extends BrowserContextOptions {
  /** The name they have chosen before. Default: none. */
  readonly name?: string
  /** The colour of their window. Default: any. */
  readonly color?: string
  /** The documents that their browser has opened before, as the page stores them. Default: none. */
  readonly documents?: readonly object[]
  /** Whether their browser has no storage for documents, as in some private modes. Default false. */
  readonly keepsNothing?: boolean
}

/** What a layer of cursors holds: host, then all marks, then each. */
const MARK = 'inkwire-cursors > inkwire-cursors > inkwire-cursors'

/** What the indicator says when all is well. */
export const SAFE = 'Safe on the server’s disk'
/** What it says of an edit that the server doesn't have. */
export const ON_DEVICE = 'On this device'

/** A telephone of the smallest kind in use. */
export const PHONE: BrowserContextOptions = {
  ...devices['iPhone SE'],
  viewport: { width: 360, height: 640 },
  isMobile: true,
}

/** Opens the demo at `url` in a browser profile of its own, and waits until the page is there. */
export const openDemo = async (
  harness: BrowserHarness,
  url: string,
  { name, color, documents, keepsNothing, ...options }: DemoOptions = {},
): Promise<DemoPage> => {
  const context = await harness.browser.newContext({ viewport: { width: 900, height: 640 }, ...options })
  onTestFinished(() => context.close())
  await context.addInitScript(keepClaims)
  await context.addInitScript(chooseIdentity, {
    name: name ?? null,
    color: color ?? null,
    documents: documents ? JSON.stringify(documents) : null,
  })
  if (keepsNothing)
    await context.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }))
  return openWindow(harness, url, context)
}

/** Opens another window in somebody's browser. */
export const openWindow = async (
  harness: BrowserHarness,
  url: string,
  context: BrowserContext,
): Promise<DemoPage> => {
  const opened = await harness.newPage(context)
  const { page, errors } = opened
  await page.goto(url)
  const demo: DemoPage = {
    ...opened,
    field: page.locator('#text'),
    rich: page.locator('.rich-text'),
    // Host, marks, mark: a caret carries a name, a piece of a selection carries nothing.
    carets: page.locator(`${MARK}:has(> inkwire-cursors)`),
    selections: page.locator(`${MARK}:not(:has(> inkwire-cursors))`),
    shows: (text) =>
      explain(
        waitIn(page, `the field shows ${JSON.stringify(text)}`, showsText, text),
        async () => `it shows ${JSON.stringify(await demo.field.inputValue())}`,
      ),
    showsRich: (...blocks) =>
      explain(
        until(
          `the rich text is ${JSON.stringify(blocks)}`,
          async () => JSON.stringify(await page.evaluate(outlineOfRichText)) === JSON.stringify(blocks),
        ),
        async () => `it is ${JSON.stringify(await page.evaluate(outlineOfRichText))}`,
      ),
    openList: async () => {
      const list = page.getByRole('navigation', { name: 'Documents' })
      if (!(await list.isVisible()))
        await page.getByRole('button', { name: 'Documents', exact: true }).click()
    },
    create: async (kind) => {
      await demo.openList()
      await page.getByRole('button', { name: `New ${kind} text` }).click()
    },
    says: (headline) =>
      explain(
        waitIn(page, `the page says ${headline}`, saysHeadline, headline),
        async () => `it says ${await page.locator('#connection').textContent()}`,
      ),
    safe: () => waitIn(page, 'all is safe', claims, SAFE),
    claim: async () => (await demo.claims()).at(-1) ?? '',
    claims: () => page.evaluate(() => window.claims ?? []),
    forgiveOutage() {
      const others = errors.filter((error) => !/^WebSocket connection to .* failed/.test(error))
      errors.splice(0, errors.length, ...others)
    },
  }
  return demo
}

/** How often a page looks whether what is waited for is there, ms. */
const LOOK_MS = 10
/** @see until */
const PATIENCE_MS = 15_000

/**
 * Waits inside the page: two pages that are asked from outside all the time leave a small machine no time for what
 * they are asked about.
 */
const waitIn = async <T>(page: Page, what: string, condition: (arg: T) => boolean, arg: T): Promise<void> => {
  try {
    // Playwright's type of the function takes an argument apart, which a plain one doesn't need.
    await page.waitForFunction(condition as (arg: unknown) => boolean, arg, {
      polling: LOOK_MS,
      timeout: PATIENCE_MS,
    })
  } catch (error) {
    throw new Error(`waited ${PATIENCE_MS} ms in vain until ${what}`, { cause: error })
  }
}

// These run in the page.
const showsText = (text: string): boolean => document.querySelector('textarea')?.value === text
const saysHeadline = (headline: string): boolean =>
  document.querySelector('#headline')?.textContent === headline
const claims = (claim: string): boolean => window.claims?.at(-1) === claim

/** Adds to a failure what there was instead. */
const explain = async (waiting: Promise<unknown>, instead: () => Promise<string>): Promise<void> => {
  try {
    await waiting
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}: ${await instead()}`, { cause: error })
  }
}

/** Runs in the page: the blocks that hold text, without the carets between their letters. */
const outlineOfRichText = (): string[] => {
  const text = document.querySelector('.rich-text')?.cloneNode(true)
  if (!(text instanceof HTMLElement)) return []
  for (const caret of text.querySelectorAll('.caret')) caret.remove()
  return [...text.querySelectorAll('p, h2, h3, h4, pre')].map((block) => {
    const around = block.closest('li, blockquote')
    const tag = (around ?? block).tagName.toLowerCase()
    return `${tag} ${block.textContent}`.trim()
  })
}

/** Runs in the page, before its own scripts: writes down every claim that the indicator makes. */
const keepClaims = (): void => {
  const claims: string[] = []
  window.claims = claims
  new MutationObserver(() => {
    const claim = document.querySelector('#stages [aria-current]')?.textContent
    if (claim && claims.at(-1) !== claim) claims.push(claim)
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
}

/** What a browser remembers of its owner before the page is opened. */
interface Remembered {
  readonly name: string | null
  readonly color: string | null
  readonly documents: string | null
}

/** Runs in the page, before its own scripts. */
const chooseIdentity = ({ name, color, documents }: Remembered): void => {
  if (name) localStorage.setItem('inkwire.name', name)
  if (color) sessionStorage.setItem('inkwire.color', color)
  if (documents && !localStorage.getItem('inkwire.documents'))
    localStorage.setItem('inkwire.documents', documents)
}

declare global {
  interface Window {
    /** @see keepClaims */
    claims?: readonly string[]
  }
}
