import { createElement, Suspense } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, it } from 'vitest'
import { documents } from '../../client/frameworks/documents.js'
import {
  useDocument,
  usePresence,
  useSaveState,
  useSyncedDocument,
  useText,
} from '../../client/react/index.js'

const URL = 'ws://localhost:9'

const Notes = () => {
  const { doc, provider, status, synced } = useDocument(URL, 'notes')
  const text = useText(doc?.getText('body'))
  const { status: saved, pending } = useSaveState(provider)
  const { others } = usePresence(provider, { name: 'Ada' })
  return createElement('p', null, `${status} ${synced} "${text}" ${saved} ${pending} ${others.length}`)
}

it('the hooks render on a server what a browser renders first, and open nothing', () => {
  expect(renderToString(createElement(Notes))).toBe('<p>connecting false &quot;&quot; unknown 0 0</p>')
  expect(documents.get(URL, 'notes')).toBeUndefined()
})

it('useSyncedDocument leaves it to the browser: the server renders the fallback', () => {
  const Synced = () => createElement('p', null, String(useSyncedDocument(URL, 'notes').synced))
  const html = renderToString(createElement(Suspense, { fallback: 'Opening…' }, createElement(Synced)))
  expect(html).toContain('Opening…')
  expect(html).not.toContain('<p>')
  expect(documents.get(URL, 'notes')).toBeUndefined()
})
