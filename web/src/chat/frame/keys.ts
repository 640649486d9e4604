import { useEffect } from 'preact/hooks'

import type { Model } from '../../model/model.ts'
import { isComposing } from '../../ui/ime.ts'
import { go, route } from '../route.ts'

/** What the keys of the whole page open. */
export interface Opens {
  switcher(): void
  keys(): void
}

/** Listen to the keys of the whole page. */
export function useKeys(model: Model, opens: Opens): void {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (isComposing(event) || document.querySelector('dialog[open]')) return
      const command = event.ctrlKey || event.metaKey
      if (command && event.key.toLowerCase() === 'k') opens.switcher()
      else if (command && event.shiftKey && event.key.toLowerCase() === 'f') opens.switcher()
      else if (command && event.key === ',') go({ view: 'settings' })
      else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) step(model, event.key === 'ArrowUp' ? -1 : 1, event.shiftKey)
      else if (event.key === 'F6') region(event.shiftKey ? -1 : 1)
      else if (event.key === '?' && !isField(event.target)) opens.keys()
      else return
      event.preventDefault()
    }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [model])
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')
}

function step(model: Model, by: number, unread: boolean): void {
  const rows = model.list.value.filter((row) => !unread || row.unread > 0 || row.id === route.value.conversation)
  const at = rows.findIndex((row) => row.id === route.value.conversation)
  const next = rows[at < 0 ? 0 : at + by]
  if (next) go({ view: 'room', conversation: next.id })
}

/** Move the focus to the next region: list, messages, field, details. */
function region(by: number): void {
  const regions = ['.list', '.log', '.desk', '.panel', '.page']
  const found = regions.map((each) => document.querySelector<HTMLElement>(each)).filter((each) => each !== null && each.offsetWidth > 0)
  const at = found.findIndex((each) => each!.contains(document.activeElement))
  const next = found[(at + by + found.length) % found.length]
  const inside = next?.matches('.log') ? next : next?.querySelector<HTMLElement>('.talks a, textarea, button, input')
  inside?.focus()
}
