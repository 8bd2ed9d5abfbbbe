import * as Y from 'yjs'
import { bodyOf, Head } from './dialect.js'

const head = new Head()

/** What an update inserts, letter by letter: a server may put several updates into one message. */
export const eachInsertion = (
  bytes: Uint8Array,
  at: number,
  take: (client: number, clock: number) => void,
): void => {
  head.read(bytes, at)
  if (head.clients === 1 && head.structs === 1) {
    take(head.client, head.clock)
    return
  }
  for (const { id, length } of Y.decodeUpdate(bodyOf(bytes, at)).structs) {
    for (let i = 0; i < length; i++) take(id.client, id.clock + i)
  }
}
