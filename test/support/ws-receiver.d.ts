import type { Writable } from 'node:stream'

/** What ws has and documents the error codes of, but its types don't name. */
declare module 'ws' {
  export class Receiver extends Writable {
    constructor(options: {
      readonly isServer: boolean
      readonly maxPayload: number
      readonly maxFragments: number
    })
  }
}
