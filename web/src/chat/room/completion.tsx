import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Member } from '../../protocol/requests.ts'
import { shownName } from '../../text/text.tsx'
import { Face } from '../../ui/face.tsx'
import { isComposing } from '../../ui/ime.ts'

/** The beginning of a name that is being written: what, and where. */
export interface Wanted {
  name: string
  from: number
  to: number
}

const MOST = 8
const members = new Map<string, Promise<Member[]>>()

/** Return the name that is being written at the caret, after an `@`; null if none is. */
export function wantedAt(text: string, caret: number): Wanted | null {
  const found = /(?<![a-z0-9._-])@([^\s@，。；：！？、]*)$/i.exec(text.slice(0, caret))
  return found ? { name: found[1]!.toLowerCase(), from: found.index, to: caret } : null
}

/** Return the text with a name in place of its beginning, and where the caret is then. */
export function completed(text: string, { from, to }: Wanted, account: string): { text: string; caret: number } {
  const before = text.slice(0, from)
  // An @ in a word is no mention, so a blank comes before it; after letters of Chinese none is needed.
  const gap = /[\w.-]$/.test(before) ? ' ' : ''
  const head = `${before}${gap}@${account} `
  return { text: head + text.slice(to).trimStart(), caret: head.length }
}

interface Props {
  model: Model
  topic: string
  wanted: Wanted
  onPick: (account: string) => void
  onClose: () => void
  area: { current: HTMLTextAreaElement | null }
}

/** The members whose names begin with what is written. Enter takes one only after an arrow, or where nothing else fits. */
export function Completion({ model, topic, wanted, onPick, onClose, area }: Props) {
  const [all, setAll] = useState<Member[]>([])
  const [at, setAt] = useState(0)
  useEffect(() => {
    const asked = members.get(topic) ?? model.engine.ask<Member[]>('members', topic)
    members.set(topic, asked)
    asked.then(setAll, () => members.delete(topic))
    const timer = setTimeout(() => members.delete(topic), 30_000)
    return () => clearTimeout(timer)
  }, [topic])
  const found = all
    .filter(({ account }) => account !== model.account)
    .filter(({ account, name }) => account.startsWith(wanted.name) || model.nameOf(account).toLowerCase().includes(wanted.name) || name.toLowerCase().includes(wanted.name))
    .slice(0, MOST)
  useEffect(() => setAt(0), [wanted.name])
  useEffect(() => {
    const element = area.current!
    const key = (event: KeyboardEvent) => {
      if (isComposing(event)) return
      const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 }
      const move = moves[event.key]
      const chosen = found[at]
      if (move !== undefined && found.length) setAt((at + move + found.length) % found.length)
      else if ((event.key === 'Enter' || event.key === 'Tab') && chosen && wanted.name) onPick(chosen.account)
      else if (event.key === 'Escape') onClose()
      else {
        if (event.key === 'Enter') onClose()
        return
      }
      event.preventDefault()
      event.stopPropagation()
    }
    element.addEventListener('keydown', key, true)
    return () => element.removeEventListener('keydown', key, true)
  })
  if (!found.length) return null
  return (
    <ul class="completion" role="listbox" aria-label={t().room.names}>
      {found.map(({ account }, index) => (
        <li
          key={account}
          role="option"
          aria-selected={index === at}
          onPointerDown={(event) => {
            event.preventDefault()
            onPick(account)
          }}
        >
          <Face id={account} name={model.nameOf(account)} size="xs" />
          <bdi>{shownName(model.nameOf(account))}</bdi> <small>{account}</small>
        </li>
      ))}
    </ul>
  )
}
