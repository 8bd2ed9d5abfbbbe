import { createHash } from 'node:crypto'
import { z } from 'zod'
import { InkwireError } from '../../shared/errors.js'

/**
 * What is in a backup: `manifest.json`, written last. Every other file counts only if it is named here.
 *
 *     { "format": "inkwire-backup", "version": 1,
 *       "started": "2026-03-01T10:00:00.000Z", "finished": "…",
 *       "documents": [
 *         {"name":"notes/today","generation":"…","seq":12,"file":"notes%2Ftoday.….12.yjs","bytes":345,"sha256":"…"}
 *       ],
 *       "sha256": "…" }
 *
 * A document's `sha256` is that of its file, as `sha256sum` prints it. The last one is that of all before it, so
 * that a manifest with a flipped bit is noticed.
 */
export interface Manifest {
  readonly started: string
  readonly finished: string
  /** In order of name bytes. */
  readonly documents: readonly BackupEntry[]
}

/** One document in a backup. */
export type BackupEntry = Readonly<z.output<typeof entrySchema>>

const FORMAT = 'inkwire-backup'
const VERSION = 1

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

const entrySchema = z.object({
  name: z.string().min(1),
  /** Updates 1 to `seq` of this generation are in the file. */
  generation: z.string().regex(/^[0-9a-f]{32}$/),
  seq: z.int().min(1),
  /** In the folder `documents`. */
  file: z.string().regex(/^[^/\\\0]+\.yjs$/),
  bytes: z.int().min(0),
  sha256: sha256Schema,
  /** The document was damaged when this backup was made, and why; the file is that of an earlier backup. */
  outdated: z.string().optional(),
})

const schema = z.object({
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  documents: z.array(entrySchema),
  sha256: sha256Schema,
})

/** The manifest's text: a line per document. */
export const encodeManifest = ({ started, finished, documents }: Manifest): string => {
  const head = JSON.stringify({ format: FORMAT, version: VERSION, started, finished })
  const lines = documents.map((entry) => JSON.stringify(entry)).join(',\n')
  const body = `${head.slice(0, -1)},\n"documents":[\n${lines}\n]`
  return `${body},\n"sha256":"${sha256(body)}"}\n`
}

/**
 * Reads a manifest's text.
 *
 * @throws InkwireError INKWIRE_BAD_BACKUP when it is damaged; INKWIRE_STORE_FORMAT when a newer version wrote it.
 */
export const decodeManifest = (text: string): Manifest => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw bad('it is cut short or no JSON', cause)
  }
  const head = z.object({ format: z.literal(FORMAT), version: z.int() }).safeParse(value)
  if (!head.success) throw bad(`it is none of format "${FORMAT}"`)
  if (head.data.version > VERSION) {
    const what = `the backup was written by a newer version of Inkwire (format ${head.data.version})`
    throw new InkwireError('INKWIRE_STORE_FORMAT', `${what}; use that version`)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw bad('something in it is not what it should be', parsed.error)
  if (sha256(text.slice(0, text.lastIndexOf(',\n"sha256":'))) !== parsed.data.sha256)
    throw bad('its checksum does not match')
  const { started, finished, documents } = parsed.data
  return { started, finished, documents }
}

/** As `sha256sum` prints it. */
export const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')

const bad = (why: string, cause?: unknown): InkwireError =>
  new InkwireError('INKWIRE_BAD_BACKUP', `manifest.json of the backup is damaged: ${why}`, { cause })
