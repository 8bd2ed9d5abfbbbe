/** y-leveldb's own types can't be found by its package's `exports`. */
declare module 'y-leveldb' {
  import type { Doc } from 'yjs'

  export class LeveldbPersistence {
    constructor(location: string)
    storeUpdate(docName: string, update: Uint8Array): Promise<number>
    getYDoc(docName: string): Promise<Doc>
    getStateVector(docName: string): Promise<Uint8Array>
    flushDocument(docName: string): Promise<void>
    setMeta(docName: string, metaKey: string, value: unknown): Promise<void>
    clearDocument(docName: string): Promise<void>
    destroy(): Promise<void>
  }
}
