/**
 * What is needed of a provider that says what one may do; an `InkwireProvider` fits.
 *
 * @example
 *   followAccess(provider, (mayWrite) => editor.setEditable(mayWrite))
 */
export interface AccessLike {
  /** What the server last said; null as long as it hasn't. */
  readonly access: string | null
  on(event: 'access', listener: () => void): unknown
  off(event: 'access', listener: () => void): unknown
}

/**
 * Tells whether this client may write: at once, and whenever that changes. Until the server has said so, it may, since
 * edits are made without a connection, too.
 *
 * @param listener called with `true` or `false`, the first time before this returns
 * @returns how to stop it
 * @example
 *   followAccess(provider, (mayWrite) => editor.setEditable(mayWrite)) // Tiptap
 */
export const followAccess = (provider: AccessLike, listener: (mayWrite: boolean) => void): (() => void) => {
  let told: boolean | undefined
  const tell = () => {
    const mayWrite = provider.access !== 'read'
    if (mayWrite === told) return
    told = mayWrite
    listener(mayWrite)
  }
  provider.on('access', tell)
  tell()
  return () => provider.off('access', tell)
}
