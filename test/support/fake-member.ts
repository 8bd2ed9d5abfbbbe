import type { Member } from '../../server/room/member.js'
import { messagesIn } from './frames.js'

/** A member of a room that notes what the room does with it. */
export class FakeMember implements Member {
  readonly user: string
  readonly mayWrite = true
  readonly outlet = this
  get congested(): boolean {
    return false
  }
  /** What it was called for but to write, in words. */
  readonly calls: string[] = []
  frames: Uint8Array[] = []
  constructor(
    readonly extended: boolean,
    user = '',
  ) {
    this.user = user
  }
  goOn(): void {
    this.calls.push('go on')
  }
  probe(): void {
    this.calls.push('there?')
  }
  write(frames: readonly Uint8Array[]): void {
    this.frames.push(...frames)
  }
  stream(pieces: Iterable<readonly Uint8Array[]>): void {
    for (const piece of pieces) this.frames.push(...piece)
  }
  acknowledge(message: number): void {
    this.calls.push(`ack ${message}`)
  }
  refuse(message: number): void {
    this.calls.push(`refuse ${message}`)
  }
  requestMissing(): void {
    this.calls.push('missing?')
  }
  dismiss(): void {
    this.calls.push('dismiss')
  }
  close(code: number): void {
    this.calls.push(`close ${code}`)
  }
  /** How many updates it was sent. */
  get updates(): number {
    return messagesIn(this.frames).filter(({ type }) => type === 'update').length
  }
}
