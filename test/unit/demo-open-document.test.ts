import { expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { OpenDocument } from '../../client/demo/open-document.js'

const opened = (changed: () => void) => {
  const document = new OpenDocument('ws://127.0.0.1:1', 'notes', { token: null, paused: true }, changed)
  onTestFinished(() => document.destroy())
  return document
}

it('what others type is news when it says what the document is made of, and no news after that', () => {
  const news: string[] = []
  const document = opened(() => news.push(document.kindOr('plain')))
  const other = new Y.Doc()
  // As the provider does it with what it gets from the server.
  other.on('update', (update) => Y.applyUpdate(document.doc, update, document.provider))
  const before = news.length
  other.getXmlFragment('rich').insert(0, [new Y.XmlElement('paragraph')])
  expect(news.slice(before)).toEqual(['rich'])
  for (let time = 0; time < 100; time++)
    other.getXmlFragment('rich').insert(0, [new Y.XmlElement('paragraph')])
  expect(news.length - before).toBe(1)
  other.getXmlFragment('rich').delete(0, 101)
  other.getText('text').insert(0, 'plain after all')
  expect(news.slice(before)).toEqual(['rich', 'plain', 'plain'])
})
