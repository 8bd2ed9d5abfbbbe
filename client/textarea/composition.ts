/**
 * Follows the input method of an element. Any write to the element while it composes ends the composition
 * without `compositionend`, and its next step inserts the text once more. So nothing may be written while
 * `active`; `settled` is called once writing is safe again.
 */
export class Composition {
  /** Whether nothing may be written to the element. */
  active = false
  #timer: ReturnType<typeof setTimeout> | undefined

  /**
   * @param starts called before a composition has changed anything
   * @param settled called in a task of its own after it has ended, since `compositionend` comes before the
   *   last `input` in some browsers and before the next `compositionstart` in others
   */
  constructor(
    element: HTMLElement,
    signal: AbortSignal,
    starts: () => void,
    private readonly settled: () => void,
  ) {
    const on = (type: string, listener: (event: Event) => void) =>
      element.addEventListener(type, listener, { signal })
    on('compositionstart', () => {
      clearTimeout(this.#timer)
      starts()
      this.active = true
    })
    on('compositionend', () => this.end())
    on('blur', () => this.end())
    // A composition that somebody's write has ended goes without a word; plain input then gives it away.
    on('input', (event) => {
      if (!(event as InputEvent).isComposing) this.end()
    })
    signal.addEventListener('abort', () => clearTimeout(this.#timer))
  }

  /** The composition is over, or cannot go on: the element was removed, say. */
  end(): void {
    if (!this.active) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.active = false
      this.settled()
    })
  }
}
