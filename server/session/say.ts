import { encodeMessage } from '../../shared/codec.js'
import type { Message } from '../../shared/messages.js'
import type { Outlet } from '../room/answer.js'
import { frame } from '../websocket/frame.js'

/** A message, ready to be written. */
export const framed = (message: Message): Uint8Array => frame(encodeMessage(message))

/** One client, or whatever stands for it. */
interface Listener {
  readonly outlet: Pick<Outlet, 'write'>
}

/** Says one thing to one client. What many are told is framed once, by the room. */
export const say = (to: Listener, message: Message): void => to.outlet.write([framed(message)])
