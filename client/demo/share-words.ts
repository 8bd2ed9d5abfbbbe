import type { Access } from '../index.js'

/** What there is to know about a link before it is sent to somebody. */
export interface Sharing {
  /** Whether the server asks who one is; null while nobody knows. */
  readonly authorization: boolean | null
  /** Whether this page came with a token, which its link then carries. */
  readonly token: boolean
  readonly access: Access | null
  /** Whether the page was opened by a link that asks for nothing but reading. */
  readonly readOnlyLink: boolean
}

/** What the two links do, in plain words: a link that asks for nothing but reading guards nothing by itself. */
export interface SharingWords {
  readonly link: string
  readonly readOnly: string
}

/** @example shareWords({ authorization: false, token: false, access: 'write', readOnlyLink: false }).link */
export const shareWords = ({ authorization, token, access, readOnlyLink }: Sharing): SharingWords => {
  const carries = 'It carries the token that you came with: to the server, whoever has it is you.'
  if (access === 'read')
    return {
      link: `Whoever has it can read along, as you do. ${token ? carries : ''}`.trim(),
      readOnly: 'You can only read here, and the server sees to that.',
    }
  const readOnly = authorization
    ? 'The page won’t let its reader type. For the server to see to it, put a token behind it that may only read: “&token=…”.'
    : 'The page won’t let its reader type. It is a courtesy, not a guard: whoever takes “read” out of the link can type, as on this server everybody can.'
  if (readOnlyLink)
    return { link: token ? `The page won’t let its reader type. ${carries}` : readOnly, readOnly }
  return {
    link: token
      ? carries
      : authorization
        ? 'Whoever has it still needs the server’s permission.'
        : 'Whoever has it can read and type: this server asks nobody who they are.',
    readOnly,
  }
}
