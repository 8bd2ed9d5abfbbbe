import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Client } from '../client.js'
import { hocuspocus, yWebsocket } from '../dialect.js'

/** A document that many people open at once. */
export interface Opening {
  readonly url: string
  readonly document: string
  readonly count: number
  /** Bytes that each must get. */
  readonly bytes: number
  readonly hocuspocus: boolean
}

/** In a process of their own, so that what they read doesn't hold up those who measure. Resolves when all have it. */
export const joinAtOnce = async (opening: Opening): Promise<void> => {
  const child = spawn(process.execPath, [process.argv[1] ?? '', '--joiners', JSON.stringify(opening)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error('a joiner lacks something')
}

/** What that process does. */
export const join = async ({ url, document, count, bytes, ...opening }: Opening): Promise<void> => {
  const dialect = opening.hocuspocus ? hocuspocus : yWebsocket
  const clients = await Promise.all(
    Array.from({ length: count }, () => Client.open(url, { dialect, document, counts: true })),
  )
  for (const client of clients) {
    if (client.bytesIn < bytes) process.exitCode = 1
    client.close()
  }
}
