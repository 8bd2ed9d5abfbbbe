import type * as Y from 'yjs'

/**
 * Edits of which one can tell how many there are: each leaves a mark behind all others', and takes the place of its
 * author's last number. So they build upon each other, and delete something of their own.
 */
export const numberedEdit = (doc: Y.Doc, author: string | number, number: number): void => {
  doc.transact(() => {
    marksOf(doc).push([`${author}:${number}`])
    doc.getMap<number>('last').set(String(author), number)
  })
}

/** The marks that a document shows, `author:number`. */
export const marksOf = (doc: Y.Doc): Y.Array<string> => doc.getArray<string>('marks')

/** The number of an author's last edit that a document shows; 0 for none. */
export const lastNumber = (doc: Y.Doc, author: string | number): number =>
  doc.getMap<number>('last').get(String(author)) ?? 0
