import { writeFile } from 'node:fs/promises'
import { InkwireError } from '../../shared/errors.js'
import { checkName } from '../../shared/name.js'
import type { StoredDocument } from '../journal/journal.js'
import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { withExistingDocuments } from './remote.js'
import { Setting } from './setting.js'
import { dataSetting, oneOf } from './settings.js'
import { readDocument } from './store.js'

interface ExportOptions {
  readonly data?: string
  readonly format?: 'update' | 'text' | 'json'
  readonly root?: string
  readonly output?: string
}

/** `inkwire export DOC`: a document's whole state, on stdout or into a file. */
export const addExport: AddCommand = (program, { io, parts }, done) => {
  program
    .command('export')
    .description('Print a document, or write it into a file.')
    .argument('<doc>', 'name of the document')
    .addOption(
      new Setting('--format <format>', 'update (binary, for Y.applyUpdate or inkwire import), text or json', {
        byDefault: 'update',
        parse: oneOf('update', 'text', 'json'),
      }),
    )
    .option('--root <name>', 'with text or json: only this root type')
    .option('--output <file>', 'write into this file instead of stdout')
    .addOption(dataSetting())
    .action(async (name: string, options: ExportOptions) => {
      const { data = './data', format = 'update', root, output } = options
      checkName(name)
      if (format === 'update' && root !== undefined) throw bad('--root goes with --format text or json')
      if (format === 'update' && output === undefined && io.stdout.isTTY)
        throw bad('an update is binary: add --output <file>, or --format text or json')
      const document = await withExistingDocuments(parts, data, (documents) => readDocument(documents, name))
      const exported = await render(document, format, root)
      if (output === undefined) io.stdout.write(exported)
      else await writeFile(output, exported)
      done(OK)
    })
}

/** Yjs is loaded when it is needed: any other command begins sooner without it. */
const render = async (document: StoredDocument, format: 'update' | 'text' | 'json', root?: string) => {
  const job = {
    snapshot: document.snapshot?.update ?? null,
    updates: document.tail.map(({ update }) => update),
  }
  return format === 'update'
    ? (await import('../worker/compact.js')).compactUpdates(job).update
    : (await import('../worker/render.js')).renderDocument(job, format, root)
}

const bad = (message: string): InkwireError => new InkwireError('INKWIRE_BAD_OPTION', message)
