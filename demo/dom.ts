// The little of a framework that this page needs.

type Child = Node | string | false | null | undefined
type Props = Record<string, unknown>

/** Makes an element. A property that is a function listens (`onclick`), `true` is a bare attribute, false none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value))
  }
  element.append(...children.filter(child => child !== false && child !== null && child !== undefined))
  return element
}

/** The element of index.html with this id. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E
}

/** Says something to those who do not see it. */
export function announce(text: string): void {
  byId('status').textContent = text
}
