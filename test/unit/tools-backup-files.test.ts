/** What lies in the folder of a backup: its manifest, and what the files of documents are called. */
import { describe, expect, it } from 'vitest'
import { fileName } from '../../server/tools/backup-folder.js'
import { decodeManifest, encodeManifest, type Manifest } from '../../server/tools/manifest.js'
import { flipBit } from '../support/journal-damage.js'
import { ODD_NAMES } from '../support/odd-names.js'

describe('the manifest', () => {
  const manifest: Manifest = {
    started: '2026-03-01T10:00:00.000Z',
    finished: '2026-03-01T10:00:01.000Z',
    documents: [
      {
        name: 'notes/",\n"sha256":"today \u2028',
        generation: '0123456789abcdef'.repeat(2),
        seq: 12,
        file: 'notes.0123456789abcdef.12.yjs',
        bytes: 345,
        sha256: 'ab'.repeat(32),
      },
    ],
  }

  it('reads as it was written, with a document a line', () => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest)
    expect(
      encodeManifest(manifest)
        .split('\n')
        .filter((line) => line.startsWith('{"name"')),
    ).toHaveLength(1)
    expect(decodeManifest(encodeManifest({ ...manifest, documents: [] })).documents).toEqual([])
    expect(JSON.parse(encodeManifest(manifest))).toMatchObject({ format: 'inkwire-backup', version: 1 })
  })

  it('is refused with any bit flipped', () => {
    const bytes = Buffer.from(encodeManifest(manifest))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      let read: unknown
      try {
        read = decodeManifest(Buffer.from(flipBit(bytes, bit)).toString('utf8'))
      } catch (error) {
        expect(error).toMatchObject({ name: 'InkwireError' })
        continue
      }
      // What is left is white space at the end.
      expect(read, `bit ${bit}`).toEqual(manifest)
    }
  })

  it('of a newer version is refused in words', () => {
    const newer = encodeManifest(manifest).replace('"version":1', '"version":2')
    expect(() => decodeManifest(newer)).toThrow(
      expect.objectContaining({
        code: 'INKWIRE_STORE_FORMAT',
        message: expect.stringContaining('newer version'),
      }),
    )
  })

  it('never leads out of its folder', () => {
    for (const file of ['../../etc/passwd.yjs', '/etc/x.yjs', 'a\\b.yjs', 'a.txt']) {
      const [entry] = manifest.documents
      if (!entry) return
      const forged = encodeManifest({ ...manifest, documents: [{ ...entry, file }] })
      expect(() => decodeManifest(forged)).toThrow(expect.objectContaining({ code: 'INKWIRE_BAD_BACKUP' }))
    }
  })
})

describe('a file of a backup is called', () => {
  const version = { generation: '0123456789abcdef'.repeat(2), seq: 7 }

  it.each([
    ['notes', 'notes.0123456789abcdef.7.yjs'],
    ['a/b', 'a%2Fb.0123456789abcdef.7.yjs'],
    ['..', '%2E..0123456789abcdef.7.yjs'],
    ['.hidden', '%2Ehidden.0123456789abcdef.7.yjs'],
    ["*'()!", '%2A%27%28%29%21.0123456789abcdef.7.yjs'],
  ])('%j: %s', (name, file) => {
    expect(fileName(name, version)).toBe(file)
  })

  it('as a file system can bear', () => {
    for (const name of [...ODD_NAMES, '€'.repeat(341)]) {
      const file = fileName(name, { generation: version.generation, seq: Number.MAX_SAFE_INTEGER })
      expect(Buffer.byteLength(file)).toBeLessThan(200)
      expect(file).toMatch(/^[\w%.~-]+\.yjs$/)
      // No half of an escape.
      expect(file.split('.')[0]).not.toMatch(/%.?$/)
    }
  })
})
