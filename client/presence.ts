/**
 * Presence on its way out. Only our own id is ever sent: what others say about themselves is theirs to say
 * (y-websocket repeats it, PROTOCOL S6).
 */
import { type Awareness, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'

/** Our own state, encoded. */
export const ownPresence = (awareness: Awareness): Uint8Array =>
  encodeAwarenessUpdate(awareness, [awareness.clientID])

/** The message that we have gone, without going: others take it, our state stays. */
export const farewell = (awareness: Awareness): Uint8Array =>
  encodeAwarenessUpdate(awareness, [awareness.clientID], new Map())

/** Says again that we are here, with a new clock: at the old one, nobody who saw us leave would listen. */
export const announce = (awareness: Awareness): void => {
  const state = awareness.getLocalState()
  if (state) awareness.setLocalState(state)
}

/**
 * The connection is gone, and with it everybody known from it. Their clocks are forgotten, too, or they
 * would stay invisible on the next connection until their clocks move on.
 */
export const forgetOthers = (awareness: Awareness, origin: object): void => {
  const { meta, clientID } = awareness
  const others = [...meta.keys()].filter((id) => id !== clientID)
  removeAwarenessStates(awareness, others, origin)
  for (const id of others) meta.delete(id)
}
