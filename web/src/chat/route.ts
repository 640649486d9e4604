import { signal } from '@preact/signals'

/** What is on the screen: nothing but the list, or a conversation, perhaps at one of its messages. */
export interface Route {
  view: 'list' | 'room' | 'contacts' | 'settings'
  conversation?: string
  message?: string
}

/** The place that the address of the page names. */
export const route = signal<Route>(read(location.pathname))

addEventListener('popstate', () => {
  route.value = read(location.pathname)
})

/** Go to a place; `replace` leaves no step in the history. */
export function go(to: Route, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', pathOf(to))
  route.value = to
}

/** Return the address of a place: `/c/%23fishing`, `/c/alice+bob/471893-17`, `/contacts`. */
export function pathOf(to: Route): string {
  if (to.conversation === undefined) return to.view === 'list' ? '/' : `/${to.view}`
  const at = to.message?.slice(to.message.lastIndexOf(':') + 1)
  return `/c/${encodeURIComponent(to.conversation)}${at ? `/${at}` : ''}`
}

function read(path: string): Route {
  const [, first = '', name = '', at] = path.split('/')
  if (first === 'contacts' || first === 'settings') return { view: first }
  if (first !== 'c' || !name) return { view: 'list' }
  const conversation = decodeURIComponent(name)
  return { view: 'room', conversation, ...(at ? { message: `${conversation}:${at}` } : {}) }
}
