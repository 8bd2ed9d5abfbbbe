import type { Plugin } from 'esbuild'
import { compile } from 'svelte/compiler'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bundle, servePages, type TestPage, useBrowser } from '../support/browser.js'
import { metric, startServer } from '../support/inkwire.js'

const harness = useBrowser()

const NOTES = `<script>
  import { documentStore, presenceStore, saveStore, textStore } from '../../../client/svelte/index.js'
  const { server, user, name } = $props()
  const notes = documentStore(server, name)
  const text = $derived(textStore($notes.doc?.getText('body')))
  const saves = $derived(saveStore($notes.provider))
  const others = $derived(presenceStore($notes.provider))
  $effect(() => { others.setUser?.({ name: user }) })
</script>
<button onclick={() => $notes.doc?.getText('body').insert(0, user)}>write</button>
<output id="status">{$notes.status} {$notes.synced}</output>
<output id="text">{$text}</output>
<output id="save">{$saves.status}</output>
<output id="others">{$others.map((person) => person.name).join()}</output>
`

const component: Plugin = {
  name: 'component',
  setup(build) {
    build.onResolve({ filter: /notes\.svelte$/ }, ({ resolveDir }) => ({
      path: 'notes.svelte',
      namespace: 'component',
      pluginData: resolveDir,
    }))
    build.onLoad({ filter: /.*/, namespace: 'component' }, ({ pluginData }) => ({
      contents: compile(NOTES, { generate: 'client' }).js.code,
      resolveDir: pluginData as string,
    }))
  },
}

const pagesOf = async (framework: string): Promise<string> => {
  const pages = await servePages({
    '/': '<!doctype html><title>Notes</title><body><script type="module" src="/page.js"></script>',
    '/page.js': await bundle(`test/browser/pages/${framework}.ts`, [component]),
  })
  onTestFinished(() => pages.close())
  return pages.url
}

const open = async (url: string, ws: string, name: string): Promise<TestPage & { read: Read }> => {
  const opened = await harness.newPage()
  await opened.page.goto(`${url}#${encodeURIComponent(`${ws} ${name}`)}`)
  return {
    ...opened,
    read: (id) => opened.page.evaluate((id) => document.getElementById(id)?.textContent ?? null, id),
  }
}

type Read = (id: string) => Promise<string | null>

describe.each(['vue', 'svelte'])('in a component of %s', (framework) => {
  it('two people edit together, see each other, and what is saved', async () => {
    const { url, ws } = await startServer()
    const pages = await pagesOf(framework)
    const [ada, grace] = [await open(pages, ws, 'Ada'), await open(pages, ws, 'Grace')]
    await expect.poll(() => ada.read('status')).toBe('connected true')
    await expect.poll(() => ada.read('others')).toBe('Grace')
    await expect.poll(() => grace.read('others')).toBe('Ada')
    await ada.page.getByRole('button').click()
    await expect.poll(() => grace.read('text')).toBe('Ada')
    await expect.poll(() => ada.read('save')).toBe('saved')

    await ada.page.evaluate(() => window.setName('other'))
    await expect.poll(() => ada.read('text')).toBe('')
    await expect.poll(() => ada.read('status')).toBe('connected true')
    await expect.poll(() => grace.read('others')).toBe('')
    await ada.page.evaluate(() => window.setShown(false))
    await expect.poll(() => metric({ url }, 'inkwire_connections')).toBe(1)
  })
})
