/**
 * How long it takes from a key to the paint that shows it, in a bound textarea with a lot of text while somebody else
 * types, in real Chromium. Prints numbers and judges nothing.
 *
 *     node test/bench/textarea.mjs [keys per figure, default 150] [--profile]
 *
 * A key's time is what the browser's Event Timing says: from the key to the next paint, in steps of 8 ms, and less
 * than 16 counts as 16; the CPU time is the page's main thread's, for a key and what the colleague did meanwhile. "nothing bound" is a plain textarea with the same text, in which nobody else writes: what the
 * browser itself takes. With `--profile`, a CPU profile of each figure is written to the current folder.
 */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const KEYS = Number(process.argv[2] ?? 150)
const PROFILE = process.argv.includes('--profile')

const SCENES = [
  ['1 MB, nothing bound', { bytes: 1_000_000, bound: false }],
  ['1 MB', { bytes: 1_000_000, bound: true }],
  ['1 MB with carets', { bytes: 1_000_000, bound: true, presence: true }],
  ['100 KB with carets', { bytes: 100_000, bound: true, presence: true }],
]

/** The page: a textarea at `#field`, and a colleague in a worker, whose edits arrive ten times a second. */
const PAGE = `
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { bindTextarea } from './client/textarea/index.ts'

const colleague = (bytes) => {
  const doc = new Y.Doc()
  const text = doc.getText('t')
  const awareness = new Awareness(doc)
  // As if grown over many sessions: pieces at random places, some of it deleted again.
  const word = () => Math.random().toString(36).slice(2, 3 + Math.random() * 9)
  const piece = () => Array.from({ length: 30 }, word).join(' ') + (Math.random() < 0.5 ? '\\n' : ' ')
  while (text.length < bytes) {
    text.insert(Math.floor(Math.random() * text.length), piece())
    if (Math.random() < 0.2) text.delete(Math.floor(Math.random() * text.length), 1)
  }
  postMessage({ update: Y.encodeStateAsUpdate(doc) })
  onmessage = ({ data }) => Y.applyUpdate(doc, data, 'page')
  let update = null
  doc.on('update', (bytes, origin) => {
    if (origin !== 'page') update = bytes
  })
  let at = Math.floor(text.length / 2) + 200
  setInterval(() => {
    text.insert(at++, 'x')
    const caret = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, at))
    awareness.setLocalState({ user: { name: 'Ada', color: 'teal' }, cursor: { anchor: caret, head: caret } })
    postMessage({ update, presence: encodeAwarenessUpdate(awareness, [doc.clientID]) })
  }, 100)
}
if (typeof document === 'undefined') onmessage = ({ data }) => colleague(data)
else window.start = ({ bytes, bound, presence }) =>
  new Promise((resolve) => {
    const field = document.getElementById('field')
    const doc = new Y.Doc()
    const awareness = new Awareness(doc)
    const worker = new Worker('/page.js', { type: 'module' })
    window.durations = []
    const begin = () => {
      if (bound) bindTextarea(doc.getText('t'), field, presence ? { awareness } : {})
      else field.value = doc.getText('t').toString()
      if (!bound) worker.terminate()
      doc.on('update', (update, origin) => origin === 'them' || worker.postMessage(update))
      field.focus()
      const middle = Math.floor(field.value.length / 2)
      field.setSelectionRange(middle, middle)
      new PerformanceObserver((list) => {
        for (const { name, duration } of list.getEntries()) if (name === 'keydown') window.durations.push(duration)
      }).observe({ type: 'event', durationThreshold: 16 })
      resolve()
    }
    worker.onmessage = ({ data: { update, presence } }) => {
      Y.applyUpdate(doc, update, 'them')
      if (presence) applyAwarenessUpdate(awareness, presence, 'them')
      else begin()
    }
    worker.postMessage(bytes)
  })
`

/** The tests' way to a browser, which is written in TypeScript. */
const findChromium = async () => {
  const path = `${ROOT}test/support/chromium.ts`
  const { outputFiles } = await build({
    entryPoints: [path],
    write: false,
    format: 'esm',
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(path).href) },
  })
  const code = Buffer.from(outputFiles[0].contents).toString('base64')
  return (await import(`data:text/javascript;base64,${code}`)).findChromium()
}

/** CPU time that the page's main thread has taken, ms. */
const busy = async (devtools) => {
  const { metrics } = await devtools.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1000
}

const { outputFiles } = await build({
  stdin: { contents: PAGE, resolveDir: ROOT, loader: 'js' },
  bundle: true,
  write: false,
  format: 'esm',
})
const HTML = `<!doctype html><meta charset="utf-8"><textarea id="field" rows="24" cols="90"></textarea><script type="module" src="/page.js"></script>`
const server = createServer(({ url }, response) => {
  const script = url === '/page.js'
  response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' })
  response.end(script ? outputFiles[0].text : HTML)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

const { executablePath, env } = await findChromium()
const browser = await chromium.launch({
  executablePath,
  env: { ...process.env, ...env },
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
})
try {
  for (const [name, scene] of SCENES) {
    const page = await browser.newPage({ viewport: { width: 900, height: 700 } })
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    await page.waitForFunction(() => 'start' in window)
    await page.evaluate((options) => window.start(options), scene)
    const devtools = await page.context().newCDPSession(page)
    if (PROFILE) {
      await devtools.send('Profiler.enable')
      await devtools.send('Profiler.start')
    }
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
    const before = await busy(devtools)
    for (let key = 0; key < KEYS; key++) {
      await page.keyboard.press('etaoin'[key % 6])
      await page.waitForTimeout(80)
    }
    const cpu = ((await busy(devtools)) - before) / KEYS
    if (PROFILE) {
      const { profile } = await devtools.send('Profiler.stop')
      writeFileSync(`${name.replaceAll(/\W+/g, '-')}.cpuprofile`, JSON.stringify(profile))
    }
    const slow = await page.evaluate(() => window.durations)
    const all = [...slow, ...Array(Math.max(0, KEYS - slow.length)).fill(16)].sort((a, b) => a - b)
    const at = (p) => `p${p * 100} ${all[Math.min(all.length - 1, Math.floor(all.length * p))]} ms`
    console.log(
      `${name.padEnd(24)} ${at(0.5)}   ${at(0.95)}   worst ${all.at(-1)} ms   CPU ${cpu.toFixed(1)} ms a key`,
    )
    await page.close()
  }
} finally {
  await browser.close()
  server.close()
}
