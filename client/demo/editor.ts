/** What the page needs to know of an editor, plain or rich. */
export interface Editor {
  focus(): void
  update(state: EditorState): void
  /** Unties the editor from its document. */
  destroy(): void
}

/** What becomes of an editor as the connection changes. */
export interface EditorState {
  readonly editable: boolean
  /** What stands where nothing is written yet. */
  readonly placeholder: string
}
