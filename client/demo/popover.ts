/** Room between a popover and what opened it, and the window's edge, px. */
const GAP = 6

/** Where something is in the window, px. */
type Box = Pick<DOMRect, 'left' | 'right' | 'top' | 'bottom'>

/**
 * Puts an open popover below what it is about, or above it where there is no room, inside the window.
 */
export const placeBy = (popover: HTMLElement, { left, right, top, bottom }: Box): void => {
  const { offsetWidth: width, offsetHeight: height } = popover
  const { clientWidth, clientHeight } = document.documentElement
  // At the side where the button is; its edge and the popover's make one line.
  const x = left + right > clientWidth ? right - width : left
  const below = bottom + GAP
  const y = below + height > clientHeight && top - GAP - height > 0 ? top - GAP - height : below
  popover.style.left = `${Math.max(Math.min(x, clientWidth - width - GAP), GAP)}px`
  popover.style.top = `${Math.max(Math.min(y, clientHeight - height - GAP), GAP)}px`
}

/** Keeps a popover by its button while it is open. */
export const placeWhileOpen = (popover: HTMLElement, button: () => Element | null): void => {
  const place = (): void => {
    const by = button()
    if (by) placeBy(popover, by.getBoundingClientRect())
  }
  popover.addEventListener('toggle', ({ newState }) => {
    if (newState === 'open') {
      place()
      addEventListener('resize', place)
    } else removeEventListener('resize', place)
  })
}
