/** What is known of the input method of one element. */
export type Composition = readonly [
  /**
   * Whether it composes. Any write to the element now would end the composition without `compositionend`,
   * and its next step would insert the text once more.
   */
  composing: () => boolean,
  /** The composition cannot go on: the form was reset, say. */
  end: () => void,
]

/**
 * Follows the input method of an element.
 *
 * @param on listens to the element until the binding ends
 * @param starts called before a composition has changed anything
 * @param settled called once writing is safe again: in a task of its own after the end, since
 *   `compositionend` comes before the last `input` in some browsers, and the next composition may follow
 */
export const followComposition = (
  element: HTMLElement,
  on: (type: string, listener: (event: Event) => void) => void,
  starts: () => void,
  settled: () => void,
): Composition => {
  let composing = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = () => {
    clearTimeout(timer)
    if (composing)
      timer = setTimeout(() => {
        composing = false
        settled()
      })
  }
  on('compositionstart', () => {
    clearTimeout(timer)
    starts()
    composing = true
  })
  on('compositionend', end)
  on('blur', end)
  // A composition that somebody's write has ended goes without a word; plain input then gives it away.
  on('input', (event) => (event as InputEvent).isComposing || end())
  // An element that was taken out of the page, or made read-only, says nothing either.
  return [() => (composing &&= element.matches(':focus:read-write')), end]
}
