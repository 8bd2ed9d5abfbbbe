import { type Access, Code, type SaveState } from '../index.js'
import type { Connection } from './connection.js'

/** All that the status bar is about. */
export interface Situation {
  readonly connection: Connection
  readonly saves: SaveState
  readonly access: Access | null
  /** The last edit that the server refused. */
  readonly refusal: { readonly code: number; readonly reason: string } | null
  /** Whether the browser keeps edits until they are sent; otherwise they end with the window. */
  readonly keeps: boolean
  /** Whether the reader has gone offline by the page's switch. */
  readonly paused: boolean
  /** Whether the page was opened by a link that asks for nothing but reading. */
  readonly readOnlyLink: boolean
  /** Whether the browser believes that it has a network. */
  readonly online: boolean
  /** Edits to other documents that aren't safe yet. */
  readonly elsewhere: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The places that an edit goes through. */
export const STAGES = ['device', 'received', 'safe'] as const
/** @see STAGES */
export type Stage = (typeof STAGES)[number]

/** What the status bar says, in plain words. */
export interface Report {
  /** `busy`: wait a moment; `warning`: it goes on, but know this; `error`: somebody has to do something. */
  readonly tone: 'calm' | 'busy' | 'warning' | 'error'
  readonly headline: string
  readonly detail: string
  /** What helps. `discard`: to go on with what the server has, without what it refused. */
  readonly remedy: 'retry' | 'reload' | 'discard' | null
  /** Whether there is anything to say of one's own edits: a reader has none, nor who wasn't let in. */
  readonly editing: boolean
  /** Where the least safe edit is; null when nobody can say. */
  readonly stage: Stage | null
  /** What the last stage is called with this server. */
  readonly safePlace: string
  /** How many edits wait to become safe, and for how long; empty when that is not worth a word. */
  readonly waiting: string
}

type Notice = Pick<Report, 'tone' | 'headline' | 'detail'> & { readonly remedy?: Report['remedy'] }

/** An edit on a good day is safe before anybody could read that it waits, ms. */
const UNREMARKABLE_MS = 400
/** From here on a waiting edit is a reason to worry, ms. */
const WORRYING_MS = 4_000

/**
 * Puts a situation into words. Says `safe` only for what the server confirmed.
 */
export const describe = (situation: Situation): Report => {
  const { connection, saves } = situation
  const notice = noticeOf(situation)
  const { state } = connection
  return {
    remedy: null,
    ...notice,
    detail: [notice.detail, elsewhereOf(situation.elsewhere)].filter(Boolean).join(' '),
    editing: !(isReading(situation) || state === 'stopped') || saves.pending > 0,
    stage: stageOf(saves),
    safePlace: safePlaceOf(saves),
    waiting: waitingOf(situation),
  }
}

const isReading = ({ access, readOnlyLink }: Situation): boolean => access === 'read' || readOnlyLink

const stageOf = ({ status, durability }: SaveState): Stage | null => {
  switch (status) {
    case 'rejected':
    case 'device':
      return 'device'
    case 'received':
      return 'received'
    case 'saved':
      return durability === null ? null : 'safe'
    case 'unknown':
      return null
    default:
      return status satisfies never
  }
}

/** "Safe" is as much as the server promises by it. */
const safePlaceOf = ({ durability }: SaveState): string => {
  switch (durability) {
    case null:
    case 'fsync':
      return 'Safe on the server’s disk'
    case 'os':
      return 'Written by the server'
    case 'memory':
      return 'In the server’s memory'
    default:
      return durability satisfies never
  }
}

const noticeOf = (situation: Situation): Notice => {
  const { connection, saves, refusal } = situation
  const place = placeOf(situation)
  if (connection.state === 'stopped') return stoppedNotice(connection, saves.pending, place)
  if (saves.rejected > 0) return refusedNotice(saves.rejected, refusal, place)
  if (situation.paused) return pausedNotice(situation)
  switch (connection.state) {
    case 'connecting':
      return { tone: 'busy', headline: 'Connecting…', detail: '' }
    case 'syncing':
      return { tone: 'busy', headline: 'Fetching the document…', detail: '' }
    case 'lost':
      return lostNotice(situation)
    case 'live':
      return liveNotice(situation)
    default:
      return connection satisfies never
  }
}

/** Where edits are that the server doesn't have. */
const placeOf = ({ keeps }: Situation): string => (keeps ? 'this browser' : 'this window')

const lostNotice = (situation: Situation): Notice => ({
  tone: 'warning',
  headline: situation.online ? 'Server not reachable' : 'This device is offline',
  detail:
    situation.saves.pending > 0
      ? `Your edits are kept in ${placeOf(situation)} and will be sent when it is back.${leaveOpen(situation)}`
      : isReading(situation)
        ? 'What you see may have changed since. It is brought up to date when it is back.'
        : `You can type on: edits are kept in ${placeOf(situation)} and will be sent when it is back.`,
})

/** Offline by choice: nothing is wrong, but edits are nowhere else, and nobody may forget that. */
const pausedNotice = (situation: Situation): Notice => ({
  tone: 'warning',
  headline: 'Working offline',
  detail:
    situation.saves.pending > 0
      ? `Your edits are only in ${placeOf(situation)}, until you go online again.${leaveOpen(situation)}`
      : isReading(situation)
        ? 'What others change arrives when you go online again.'
        : `Nothing is sent and nothing arrives. What you type stays in ${placeOf(situation)} until you go online again.`,
})

const leaveOpen = ({ keeps }: Situation, what = 'it'): string => (keeps ? '' : ` Leave ${what} open.`)

const liveNotice = (situation: Situation): Notice => {
  const { saves, access, readOnlyLink, online, now } = situation
  const waited = saves.oldestPending === null ? 0 : now - saves.oldestPending
  const onDevice = saves.received < saves.pending
  if (saves.supported === false)
    return { tone: 'warning', headline: 'Connected', detail: 'This server doesn’t say what it has saved.' }
  // A dead connection is noticed only after a while. Without a network, it need not be waited for.
  if (onDevice && !online && waited >= UNREMARKABLE_MS) return lostNotice(situation)
  if (waited >= WORRYING_MS)
    return onDevice
      ? {
          tone: 'warning',
          headline: 'The server doesn’t answer',
          detail: `Your edits are kept in ${placeOf(situation)} until it does.${leaveOpen(situation)}`,
        }
      : {
          tone: 'warning',
          headline: 'The server can’t save at the moment',
          detail: `It has your edits and keeps trying to write them to its disk.${leaveOpen(situation, 'this window')}`,
        }
  if (access === 'read')
    return { tone: 'calm', headline: 'Connected', detail: 'You can read along, but not change anything.' }
  if (readOnlyLink) return { tone: 'calm', headline: 'Connected', detail: 'This link is for reading along.' }
  return { tone: 'calm', headline: 'Connected', detail: '' }
}

const refusedNotice = (edits: number, refusal: Situation['refusal'], place: string): Notice => ({
  tone: 'error',
  headline: `The server refused ${count(edits)}`,
  detail:
    `${refusal ? because(refusal) : ''} What was refused is only in ${place}: copy what you need.`.trim(),
  remedy: 'discard',
})

const stoppedNotice = (
  { code, reason }: Extract<Connection, { readonly state: 'stopped' }>,
  pending: number,
  place: string,
): Notice => {
  const kept =
    pending > 0 ? ` ${count(pending, 'Your last edit is', 'Your last # edits are')} only in ${place}.` : ''
  const stop = (headline: string, detail: string, remedy: Report['remedy']): Notice => ({
    tone: 'error',
    headline,
    detail: `${detail}${kept}`,
    remedy,
  })
  switch (code) {
    case Code.unauthenticated:
      return stop(
        'Not signed in',
        'The server doesn’t know who you are, or no longer. Ask for a new link.',
        'retry',
      )
    case Code.forbidden:
      return stop('No access', 'You may not open this document.', 'retry')
    case Code.noSuchDocument:
      return stop('No such document', reason ? sentence(reason) : 'No document can have this name.', null)
    case Code.generationChanged:
      return stop(
        'The document was replaced',
        'It was deleted, restored or rolled back on the server; this window shows how it was before. Copy what you need, then take the new one.',
        'discard',
      )
    case Code.documentDamaged:
      return stop(
        'The document is damaged',
        'What the server has stored can’t be read. It touches nothing until somebody repairs it.',
        'retry',
      )
    case Code.documentFull:
      return stop('The document is full', 'It has reached the size that the server allows.', 'retry')
    case Code.badMessage:
      return stop('Connection refused', 'Server and page don’t understand each other.', 'reload')
    default:
      return stop('Connection refused', `The server says: ${reason || 'nothing'} (${code}).`, 'retry')
  }
}

/** What the server says, as one. */
const sentence = (reason: string): string =>
  `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${/[.!?]$/.test(reason) ? '' : '.'}`

/** Why an edit was refused. */
const because = ({ code, reason }: NonNullable<Situation['refusal']>): string => {
  switch (code) {
    case Code.forbidden:
      return 'You may read this document, but not change it.'
    case Code.documentFull:
      return 'The document has reached the size that the server allows.'
    case Code.tooBig:
      return 'It is more at once than the server takes.'
    default:
      return `It says: ${reason || 'nothing'} (${code}).`
  }
}

const waitingOf = ({ saves, connection, now }: Situation): string => {
  if (saves.pending === 0 || saves.oldestPending === null || saves.supported === false) return ''
  const waited = Math.max(now - saves.oldestPending, 0)
  if (connection.state === 'live' && waited < UNREMARKABLE_MS) return ''
  const edits = `${count(saves.pending)} waiting`
  if (waited < 1_000) return edits
  return `${edits}${saves.pending === 1 ? '' : ', the oldest'} for ${span(waited)}`
}

const elsewhereOf = (edits: number): string =>
  edits > 0 ? `${count(edits)} to other documents must still be sent.` : ''

/** A number of edits in words; `#` stands for the number. */
const count = (edits: number, one = '1 edit', many = '# edits'): string =>
  edits === 1 ? one : many.replace('#', String(edits))

const span = (ms: number): string => {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

/**
 * What a screen reader should say about a report: only what a listener has to know. Null: nothing yet, for
 * it is about to change.
 */
export const spoken = ({ tone, headline, detail, editing, stage, safePlace }: Report): string | null => {
  switch (tone) {
    case 'busy':
      return null
    case 'calm':
      if (!editing) return `${headline}.`
      return stage === 'safe' ? `${headline}. ${safePlace}.` : null
    case 'warning':
    case 'error':
      return `${headline}. ${detail}`.trim()
    default:
      return tone satisfies never
  }
}
