/**
 * The connection's states and what moves between them. Pure: time and randomness are handed in, and the
 * side effects follow from the state alone: a socket, see `statusOf`, and a timer, see `backingOff`.
 */

/**
 * Whether to offer `inkwire.1`. A server that knows no subprotocols may refuse the handshake of a client
 * that offers one, and a browser can't tell that from a server that is down. So an attempt that fails (`try`) is
 * repeated at once without the offer (`skip`). If that opens, the server may just have come up, and we would not hear
 * its acks: it is closed, and the offer made `again`. Only a server that then refuses it gets it `never`, until an
 * attempt fails; once it was taken, it is made `always`.
 */
export type Offer = 'try' | 'skip' | 'again' | 'never' | 'always'

interface Common {
  readonly offer: Offer
  /** Attempts and short-lived connections in a row that came to nothing. */
  readonly failures: number
  /** Whether a token was refused, and no connection has lasted since. */
  readonly denied: boolean
}

/**
 * The state of a provider's connection.
 *
 * @example
 *   provider.on('connection', (state) => { banner.hidden = state.name === 'live' })
 */
export type State =
  /** Not wanted: before `connect` and after `disconnect`. */
  | (Common & { readonly name: 'offline' })
  | (Common & { readonly name: 'connecting' })
  /** The socket is open, and the server wants a token before anything else (PROTOCOL X7). */
  | (Common & { readonly name: 'authorizing' })
  /** The socket is open, the server's sync step 2 hasn't arrived. */
  | (Common & { readonly name: 'syncing' })
  /** Synced, since a time in ms since 1970. */
  | (Common & { readonly name: 'live'; readonly since: number })
  | (Common & { readonly name: 'backingOff'; readonly delayMs: number })
  /** Given up for good, until somebody calls `connect` again. */
  | (Common & { readonly name: 'stopped'; readonly code: number; readonly reason: string })

/** What happens to a connection. */
export type Event =
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  /** The socket opened. */
  | { readonly type: 'opened' }
  /** The server asked for a token (PROTOCOL X7). */
  | { readonly type: 'asked' }
  /** The server greeted: the token was good. */
  | { readonly type: 'admitted' }
  /** The server's sync step 2 arrived. */
  | { readonly type: 'synced' }
  /** The socket closed, failed or fell silent; worth another attempt. */
  | { readonly type: 'lost' }
  /** The page stops running for a while, which closes sockets. */
  | { readonly type: 'suspended' }
  /** No attempt can help: a permanent close code (PROTOCOL C2), or another generation (PROTOCOL X2). */
  | { readonly type: 'refused'; readonly code: number; readonly reason: string }
  /** The server doesn't take our token (4401). It may have been too old: one more is tried before giving up. */
  | { readonly type: 'denied'; readonly code: number; readonly reason: string }
  /** The backoff is over, or something says that the network is back. */
  | { readonly type: 'retry' }

/** What a step may depend on besides state and event. */
export interface Environment {
  /** Milliseconds since 1970. */
  readonly now: number
  /** At least 0, less than 1. */
  readonly random: number
  /** Longest backoff, milliseconds. */
  readonly maxBackoffMs: number
}

/** Where every connection starts. */
export const initial: State = { name: 'offline', offer: 'try', failures: 0, denied: false }

const FIRST_BACKOFF_MS = 100
/**
 * A connection that lived shorter than this counts as a failure, or a server that syncs and closes would be hammered.
 */
const STABLE_MS = 5_000

/**
 * How long to wait after `failures` failures in a row: doubles up to `maxBackoffMs`; half of it is random,
 * so that the clients of a restarted server don't all come back in the same moment.
 *
 * @example
 *   backoff(1, 2_500, 0) // 100
 *   backoff(1, 2_500, 0.999) // 199.9
 */
export const backoff = (failures: number, maxBackoffMs: number, random: number): number => {
  const ceiling = Math.min(FIRST_BACKOFF_MS * 2 ** failures, maxBackoffMs)
  return (ceiling + ceiling * random) / 2
}

/** Whether an attempt in this state offers the subprotocol. */
export const offers = ({ offer }: State): boolean => offer !== 'skip' && offer !== 'never'

/** A connection's state in y-websocket's words. */
export type Status = 'connected' | 'connecting' | 'disconnected'

/** A state in y-websocket's words. Whatever isn't disconnected lives on a socket; each `connecting` is a new one. */
export const statusOf = ({ name }: State): Status => {
  if (name === 'connecting') return name
  return name === 'authorizing' || name === 'syncing' || name === 'live' ? 'connected' : 'disconnected'
}

/** Whether a connection is wanted. */
export const isWanted = (state: State): boolean => state.name !== 'offline' && state.name !== 'stopped'

type Of<Name extends State['name']> = Extract<State, { readonly name: Name }>
type Cell<Name extends State['name'], Type extends Event['type']> = (
  state: Of<Name>,
  event: Extract<Event, { readonly type: Type }>,
  environment: Environment,
) => State
/** A cell for every state and every event: leaving one out doesn't compile. */
type Table = { readonly [N in State['name']]: { readonly [T in Event['type']]: Cell<N, T> } }

const stay = (state: State): State => state

const offline = ({ offer }: State): State => ({ ...initial, offer })

const dial = ({ offer, failures, denied }: State): State => ({
  name: 'connecting',
  offer: offer === 'skip' ? 'try' : offer,
  failures,
  denied,
})

const wait = (
  { offer, denied }: State,
  failures: number,
  { maxBackoffMs, random }: Environment,
  refused = denied,
): State => ({
  name: 'backingOff',
  offer,
  failures,
  denied: refused,
  delayMs: backoff(failures, maxBackoffMs, random),
})

type Refusal = Extract<Event, { readonly type: 'refused' | 'denied' }>

const stop = ({ offer }: State, { code, reason }: Refusal): State => ({
  ...initial,
  name: 'stopped',
  offer,
  code,
  reason,
})

const opened = (state: Of<'connecting'>): State => ({
  ...state,
  name: 'syncing',
  offer: state.offer === 'never' ? 'never' : 'always',
})

const isStable = (state: State, { now }: Environment): boolean =>
  state.name === 'live' && now - state.since >= STABLE_MS

/** A link that worked is gone. */
const lost = (state: State, _event: Event, environment: Environment): State =>
  isStable(state, environment)
    ? wait(state, 1, environment, false)
    : wait(state, state.failures + 1, environment)

const denied = (state: State, event: Refusal, environment: Environment): State => {
  if (isStable(state, environment)) return wait(state, 1, environment, true)
  return state.denied ? stop(state, event) : wait(state, state.failures + 1, environment, true)
}

/** Without a link and without a wait, nothing happens but what the app wants. */
const unlinked = {
  connect: dial,
  disconnect: offline,
  opened: stay,
  asked: stay,
  admitted: stay,
  synced: stay,
  lost: stay,
  suspended: stay,
  refused: stay,
  denied: stay,
  retry: stay,
} as const

/** What all states with an open socket have in common. */
const linked = {
  ...unlinked,
  connect: stay,
  lost,
  suspended: (state: State, _event: Event, environment: Environment) =>
    wait(state, state.failures, environment),
  refused: stop,
  denied,
} as const

const table: Table = {
  offline: { ...unlinked, disconnect: stay },
  connecting: {
    ...linked,
    opened: (state) => (state.offer === 'skip' ? { ...state, offer: 'again' } : opened(state)),
    lost: (state, _event, environment) => {
      const { offer } = state
      if (offer === 'try') return { ...state, offer: 'skip' }
      if (offer === 'again') return { ...state, offer: 'never' }
      return wait({ ...state, offer: offer === 'never' ? 'try' : offer }, state.failures + 1, environment)
    },
  },
  authorizing: { ...linked, admitted: (state) => ({ ...state, name: 'syncing' }) },
  syncing: {
    ...linked,
    asked: (state) => ({ ...state, name: 'authorizing' }),
    synced: (state, _event, { now }) => ({ ...state, name: 'live', since: now }),
  },
  live: linked,
  backingOff: { ...unlinked, refused: stop, retry: dial },
  stopped: unlinked,
}

/**
 * One step. Returns the same object when the event changes nothing.
 *
 * @example
 *   const environment = { now: Date.now(), random: Math.random(), maxBackoffMs: 2_500 }
 *   step(initial, { type: 'connect' }, environment).name // 'connecting'
 */
export const step = (state: State, event: Event, environment: Environment): State => {
  // The compiler can't see that row and column were chosen by these very arguments.
  const cell = table[state.name][event.type] as (s: State, e: Event, env: Environment) => State
  return cell(state, event, environment)
}
