/**
 * An element of the page that is known to be there.
 *
 * @throws TypeError if it isn't, or is another kind of element
 * @example byId('copy', HTMLButtonElement)
 */
export const byId = <Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind => {
  const element = document.getElementById(id)
  if (element instanceof kind) return element
  throw new TypeError(`the page has no ${kind.name} #${id}`)
}

/** A new element with a class and a text. */
export const create = (tag: string, className: string, text = ''): HTMLElement => {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}

/** Sets a text only if it is another one: screen readers and transitions take notice of every write. */
export const setText = (element: HTMLElement, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}
