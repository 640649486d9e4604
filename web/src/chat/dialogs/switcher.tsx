import { useEffect, useRef, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import { type Model, otherOf } from '../../model/model.ts'
import type { Conversation, Message } from '../../model/types.ts'
import { shownName } from '../../text/text.tsx'
import { short } from '../../text/times.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Face } from '../../ui/face.tsx'
import { isComposing } from '../../ui/ime.ts'
import { go } from '../route.ts'

const MOST = 12

/** Go to a conversation by its name, or to a message by its text. */
export function Switcher({ model, onClose }: { model: Model; onClose: () => void }) {
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [found, setFound] = useState<Message[]>([])
  const words = t().frame
  const wanted = text.trim().toLowerCase()
  const rows = matching(model, wanted)
  useEffect(() => field.current?.focus(), [])
  useEffect(() => {
    setAt(0)
    if (wanted.length < 2 && !/\P{ASCII}/u.test(wanted)) {
      setFound([])
      return undefined
    }
    const timer = setTimeout(() => void model.engine.ask<Message[]>('search', wanted).then((all) => setFound(all.slice(0, 30))), 200)
    return () => clearTimeout(timer)
  }, [wanted])
  const places = [
    ...rows.map((row) => () => go({ view: 'room', conversation: row.id })),
    ...found.map((row) => () => go({ view: 'room', conversation: row.conversation, message: row.id })),
  ]
  const choose = (index: number) => {
    onClose()
    places[index]?.()
  }
  const key = (event: KeyboardEvent) => {
    if (isComposing(event)) return
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (move !== undefined && places.length) setAt((at + move + places.length) % places.length)
    else if (event.key === 'Enter' && places.length) choose(at)
    else return
    event.preventDefault()
  }
  return (
    <Dialog title={words.switcher} onClose={onClose} class="switcher">
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="places"
        aria-activedescendant={places.length ? `place-${at}` : undefined}
        aria-label={words.switcher}
        placeholder={words.switcherHint}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={key}
      />
      <ul id="places" role="listbox" aria-label={words.conversations}>
        {rows.map((row, index) => (
          <li key={row.id} id={`place-${index}`} role="option" aria-selected={index === at} onClick={() => choose(index)}>
            <Face id={otherOf(model.account, row.id) ?? row.id} name={model.titleOf(row)} topic={!row.id.includes('+')} size="xs" />
            <bdi>{shownName(model.titleOf(row))}</bdi>
            {row.unread > 0 && <span class="count">{row.unread}</span>}
          </li>
        ))}
        {found.length > 0 && (
          <li class="fold" role="presentation">
            {words.inMessages}
          </li>
        )}
        {found.map((row, index) => (
          <li key={row.id} id={`place-${rows.length + index}`} role="option" aria-selected={rows.length + index === at} onClick={() => choose(rows.length + index)}>
            <span class="hit-of">
              <b>
                <bdi>{titleOf(model, row)}</bdi>
              </b>{' '}
              <small>
                {shownName(model.nameOf(row.from))}, {short(row.time)}
              </small>
              <bdi class="last">{excerpt(row.text, wanted)}</bdi>
            </span>
          </li>
        ))}
      </ul>
      {!places.length && <p class="note">{words.nothing}</p>}
    </Dialog>
  )
}

function matching(model: Model, wanted: string): Conversation[] {
  const all = [...model.list.value].sort((a, b) => b.time - a.time)
  if (!wanted) return all.slice(0, MOST)
  const rank = (row: Conversation) => {
    const names = [model.titleOf(row), row.name, row.id, otherOf(model.account, row.id) ?? ''].map((name) => name.toLowerCase())
    if (names.some((name) => name.startsWith(wanted) || name.startsWith(`#${wanted}`))) return 0
    if (names.some((name) => name.includes(wanted))) return 1
    return names.some((name) => inOrder(name, wanted)) ? 2 : 3
  }
  const ranked = all.map((row): [number, Conversation] => [rank(row), row]).filter(([of]) => of < 3)
  return ranked.sort(([a], [b]) => a - b).map(([, row]) => row).slice(0, MOST)
}

/** Whether the letters stand in a name in this order, with others between. */
function inOrder(name: string, letters: string): boolean {
  let at = 0
  for (const letter of letters) {
    at = name.indexOf(letter, at) + 1
    if (!at) return false
  }
  return true
}

function titleOf(model: Model, { conversation }: Message): string {
  const row = model.conversations.value.get(conversation)
  return shownName(row ? model.titleOf(row) : conversation)
}

function excerpt(text: string, wanted: string): string {
  const at = Math.max(0, text.toLowerCase().indexOf(wanted) - 30)
  return `${at ? '…' : ''}${text.slice(at, at + 120)}`
}
