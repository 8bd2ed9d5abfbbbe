import * as monaco from 'monaco-editor/editor/editor.api.js'
import { MonacoBinding } from 'y-monaco'
import * as Y from 'yjs'
import { followAccess } from '../../../access/index.js'
import { InkwireProvider } from '../../../index.js'
import { createPresence } from '../../../presence/index.js'
import { createUndo } from '../../../undo/index.js'
import { byId } from '../../dom.js'
import { documentName, serverUrl, showStatus } from '../page.js'

const doc = new Y.Doc()
const text = doc.getText('text')
const provider = new InkwireProvider(serverUrl, documentName, doc)
showStatus(provider)

globalThis.MonacoEnvironment = {
  getWorker: () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
}
const editor = monaco.editor.create(byId('editor', HTMLElement), {
  automaticLayout: true,
  minimap: { enabled: false },
  wordWrap: 'on',
})
const dark = matchMedia('(prefers-color-scheme: dark)')
const paint = (): void => monaco.editor.setTheme(dark.matches ? 'vs-dark' : 'vs')
dark.addEventListener('change', paint)
paint()
const model = editor.getModel() ?? monaco.editor.createModel('')
model.setEOL(monaco.editor.EndOfLineSequence.LF)
const binding = new MonacoBinding(text, model, new Set([editor]), provider.awareness)

followAccess(provider, (mayWrite) => editor.updateOptions({ readOnly: !mayWrite }))

// Monaco's own undo knows nothing of others' edits.
const undo = createUndo(text, { origins: [binding] })
const { CtrlCmd, Shift } = monaco.KeyMod
const { KeyZ, KeyY } = monaco.KeyCode
editor.addCommand(CtrlCmd | KeyZ, () => undo.undo(), '!editorReadonly')
editor.addCommand(CtrlCmd | KeyY, () => undo.redo(), '!editorReadonly')
editor.addCommand(CtrlCmd | Shift | KeyZ, () => undo.redo(), '!editorReadonly')

// The binding marks others' carets with a class each; colours and names are the page's to add.
const carets = new CSSStyleSheet()
document.adoptedStyleSheets.push(carets)
createPresence(provider.awareness).others.subscribe((people) => {
  const rules = people.map(
    ({ clientId, name, color, colorLight }) => `
      .yRemoteSelection-${clientId} { background: ${colorLight} }
      .yRemoteSelectionHead-${clientId} { border-color: ${color} }
      .yRemoteSelectionHead-${clientId}::after { background: ${color}; content: ${JSON.stringify(name)} }`,
  )
  carets.replaceSync(rules.join(''))
})
