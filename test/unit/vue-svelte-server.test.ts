import { get } from 'svelte/store'
import { expect, it } from 'vitest'
import { createSSRApp, h } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { documents } from '../../client/frameworks/documents.js'
import { documentStore, presenceStore, saveStore, textStore } from '../../client/svelte/index.js'
import { useDocument, usePresence, useSaveState, useText } from '../../client/vue/index.js'

const URL = 'ws://localhost:9'

it('the composables render on a server, and open nothing', async () => {
  const app = createSSRApp({
    setup() {
      const notes = useDocument(URL, 'notes')
      const text = useText(() => notes.value.doc?.getText('body'))
      const saves = useSaveState(() => notes.value.provider)
      const others = usePresence(() => notes.value.provider, { name: 'Ada' })
      return () =>
        h('p', `${notes.value.status} "${text.value}" ${saves.value.status} ${others.value.length}`)
    },
  })
  expect(await renderToString(app)).toBe('<p>connecting &quot;&quot; unknown 0</p>')
  expect(documents.get(URL, 'notes')).toBeUndefined()
})

it('the stores can be read on a server, and open nothing', () => {
  expect(get(documentStore(URL, 'notes'))).toMatchObject({ doc: null, provider: null, synced: false })
  expect(get(textStore(null))).toBe('')
  expect(get(saveStore(undefined))).toMatchObject({ status: 'unknown', pending: 0 })
  expect(get(presenceStore(null))).toEqual([])
  expect(documents.get(URL, 'notes')).toBeUndefined()
})
