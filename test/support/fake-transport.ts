import type { Transport } from '../../server/session/contract.js'
import type { Message } from '../../shared/messages.js'
import { messagesIn } from './frames.js'

/** The connection of a session, which notes what is done with it. */
export class FakeTransport implements Transport {
  readonly outlet = this
  congested = false
  full = false
  /** What it was called for but to write, in words. */
  readonly calls: string[] = []
  #frames: Uint8Array[] = []

  write(frames: readonly Uint8Array[]): void {
    this.#frames.push(...frames)
  }
  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    for (const piece of pieces) this.#frames.push(...piece)
  }
  close(code: number): void {
    this.calls.push(`close ${code}`)
  }
  pause(): void {
    this.calls.push('pause')
  }
  resume(): void {
    this.calls.push('resume')
  }
  probe(): void {
    this.calls.push('probe')
  }

  /** What was written since the last time. */
  said(): Message[] {
    return messagesIn(this.#frames.splice(0))
  }
}
