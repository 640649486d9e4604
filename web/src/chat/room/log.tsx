import { effect } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'

import { language, t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { RoomState } from '../../model/room.ts'
import type { Conversation, Message, Outgoing } from '../../model/types.ts'
import { shownName } from '../../text/text.tsx'
import { day, dayNumber } from '../../text/times.ts'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'
import type { Acts } from './acts.tsx'
import { domId, Letter, type State, WaitingLetter } from './letter.tsx'
import { isComing, noticeText } from './notices.ts'
import { useQuotes } from './quotes.ts'

/** Messages of one author within this many ms are a group. */
const GROUP = 5 * 60_000
/** How near an end, in px, the next page is loaded, and the end counts as seen. */
const NEAR = 600
const AT_END = 48
/** How long a message is on the screen before it counts as read, in ms. */
const READ_AFTER = 1000
/** How long a message that was jumped to is flashed, in ms. */
const FLASH = 1600

interface Props {
  model: Model
  room: RoomState
  row: Conversation | undefined
  acts: Acts
}

/** The messages of a conversation, and how they scroll. */
export function Log({ model, room, row, acts }: Props) {
  const log = useRef<HTMLDivElement>(null)
  const sheet = useRef<HTMLDivElement>(null)
  /** The message at the top of the screen and where it is: it stays there whatever is put above or grows. */
  const anchor = useRef<{ seq: string; top: number } | null>(null)
  const words = t().room
  const rows = room.rows.value
  const names = model.names.value
  const quotes = useQuotes(model, rows)

  const atEnd = () => {
    const { scrollHeight, scrollTop, clientHeight } = log.current!
    return scrollHeight - scrollTop - clientHeight < AT_END
  }
  const settle = () => {
    const element = log.current
    if (!element) return
    if (room.atEnd && room.last.value) element.scrollTop = element.scrollHeight
    else if (anchor.current) {
      const held = element.querySelector(`[data-seq="${anchor.current.seq}"]`)
      if (held) element.scrollTop += held.getBoundingClientRect().top - anchor.current.top
    }
    hold()
    // A page that was asked for while another one was loading was not loaded.
    if (element.scrollTop < NEAR && !room.atEnd) void room.older()
  }
  const hold = () => {
    const top = log.current!.getBoundingClientRect().top
    for (const element of sheet.current!.querySelectorAll<HTMLElement>('[data-seq]')) {
      const { top: at, bottom } = element.getBoundingClientRect()
      if (bottom > top) {
        anchor.current = { seq: element.dataset.seq!, top: at }
        return
      }
    }
    anchor.current = null
  }
  const scrolled = () => {
    const element = log.current!
    room.atEnd = atEnd()
    if (room.atEnd && room.last.value) room.below.value = 0
    hold()
    if (element.scrollTop < NEAR) void room.older()
    if (element.scrollHeight - element.scrollTop - element.clientHeight < NEAR) void room.newer()
  }

  useLayoutEffect(settle)
  useEffect(() => {
    const watcher = new ResizeObserver(settle)
    watcher.observe(sheet.current!)
    watcher.observe(log.current!)
    return () => watcher.disconnect()
  }, [room])
  useEffect(
    () =>
      effect(() => {
        const target = room.target.value
        if (target === null || !room.rows.value.some(({ id }) => id === target)) return
        requestAnimationFrame(() => flash(log.current, domId(target)))
        room.atEnd = false
        queueMicrotask(() => {
          room.target.value = null
        })
      }),
    [room],
  )
  const isOnline = model.link.value.state === 'online'
  useEffect(() => {
    if (isOnline && room.failure.value) room.retry()
  }, [isOnline, room])
  useFirstView(room, log, hold)
  useReading(model, room, row, log)

  return (
    <div ref={log} class="log" role="log" aria-live="off" aria-label={words.messages} tabIndex={0} onScroll={scrolled} onKeyDown={(event) => roam(event, log.current!)}>
      <div ref={sheet} class="sheet">
        {room.failure.value && !rows.length && (
          <p class="note" role="alert">
            {failureText(room.failure.value)}{' '}
            <button type="button" class="plain" onClick={() => room.retry()}>
              {words.retry}
            </button>
          </p>
        )}
        {room.loading.value && !rows.length && <p class="note">{words.loading}</p>}
        {!room.loading.value && !room.failure.value && !rows.length && !room.waiting.value.length && <Empty />}
        {room.first.value && rows.length > 0 && <p class="note">{words.beginning}</p>}
        {draw({ model, room, row, acts, rows, quotes, names })}
        {(room.last.value || !rows.length) && waitingLetters(model, room, acts, rows.at(-1))}
        <Typing model={model} id={room.id} />
      </div>
    </div>
  )
}

interface Drawn extends Props {
  rows: Message[]
  quotes: ReturnType<typeof useQuotes>
  names: ReadonlyMap<string, string>
}

function draw({ model, room, row, acts, rows, quotes, names }: Drawn): ComponentChildren[] {
  const drawn: ComponentChildren[] = []
  const replies = new Map<string, number>()
  for (const { reply } of rows) if (reply) replies.set(reply, (replies.get(reply) ?? 0) + 1)
  const newFrom = room.newFrom.value
  let before: Message | undefined
  for (let at = 0; at < rows.length; at++) {
    const message = rows[at]!
    if (!before || dayNumber(before.time) !== dayNumber(message.time)) drawn.push(<Day key={`d${message.seq}`} time={message.time} />)
    if (newFrom && message.seq >= newFrom && (!before || before.seq < newFrom) && (before || room.first.value || message.seq === newFrom)) {
      drawn.push(
        <div key="new" class="new" role="separator">
          <span>{t().room.newMessages}</span>
        </div>,
      )
    }
    const run = comings(rows, at)
    if (run.length > 2) {
      drawn.push(<Folded key={message.id} model={model} run={run} />)
      at += run.length - 1
    } else if (message.notice) {
      drawn.push(
        <p key={message.id} class="note" id={domId(message.id)} data-seq={message.seq}>
          <bdi>{noticeText(message, model)}</bdi>
        </p>,
      )
    } else {
      drawn.push(
        <Letter
          key={message.id}
          model={model}
          message={message}
          first={!isGrouped(before, message, newFrom)}
          state={stateOf(model, row, message)}
          quoted={message.reply ? quotes.get(message.reply) : undefined}
          replies={replies.get(message.id) ?? 0}
          acts={acts}
          language={language.value}
          names={names}
        />,
      )
    }
    before = rows[at]
  }
  return drawn
}

function stateOf(model: Model, row: Conversation | undefined, message: Message): State {
  if (message.from !== model.account) return 'theirs'
  return row && row.otherRead >= message.seq ? 'read' : 'stored'
}

function isGrouped(before: Message | undefined, message: Message, newFrom: number): boolean {
  if (!before || before.notice || before.recalled || before.from !== message.from) return false
  if (newFrom && before.seq < newFrom && message.seq >= newFrom) return false
  return message.time - before.time < GROUP && dayNumber(before.time) === dayNumber(message.time)
}

function comings(rows: Message[], at: number): Message[] {
  let end = at
  while (end < rows.length && isComing(rows[end]!)) end++
  return rows.slice(at, end)
}

function Folded({ model, run }: { model: Model; run: Message[] }) {
  const names = [...new Set(run.map(({ text }) => text.split(' ')[1] ?? ''))]
  const shown = names.slice(0, 3).map((name) => shownName(model.nameOf(name)))
  return (
    <p class="note" data-seq={run[0]!.seq}>
      <bdi>{t().room.folded(t().common.list(shown), names.length - shown.length)}</bdi>
    </p>
  )
}

function Day({ time }: { time: number }) {
  return (
    <div class="day">
      <span>
        <time dateTime={new Date(time).toISOString().slice(0, 10)}>{day(time)}</time>
      </span>
    </div>
  )
}

function Empty() {
  return (
    <div class="empty">
      <Icon name="carp" />
      <p>{t().room.empty}</p>
    </div>
  )
}

function waitingLetters(model: Model, room: RoomState, acts: Acts, last: Message | undefined): ComponentChildren[] {
  const letters: Outgoing[] = room.waiting.value.filter(({ kind, error }) => kind === 'message' || error)
  return letters.map((row, at) => (
    <WaitingLetter key={row.key} model={model} row={row} first={at === 0 && last?.from !== model.account} acts={acts} />
  ))
}

function Typing({ model, id }: { model: Model; id: string }) {
  const now = Date.now()
  const writing = [...(model.typing.value.get(id) ?? [])].filter(([, at]) => now - at < 6000).map(([account]) => account)
  if (!writing.length) return null
  const names = writing.map((account) => shownName(model.nameOf(account)))
  const words = t().room
  return (
    <div class="typing">
      <span class="ripple" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <bdi>{names.length > 1 ? words.typingMany(t().common.list(names)) : words.typing(names[0]!)}</bdi>
    </div>
  )
}

/** Show the first slice where it should begin: at the first new message, or at the end. */
function useFirstView(room: RoomState, log: { current: HTMLDivElement | null }, hold: () => void): void {
  const seen = useRef<RoomState | null>(null)
  useLayoutEffect(() => {
    if (seen.current === room || room.loading.value || !log.current) return
    seen.current = room
    const line = log.current.querySelector<HTMLElement>('.new')
    if (line) {
      log.current.scrollTop = line.offsetTop - 80
      const { scrollHeight, scrollTop, clientHeight } = log.current
      room.atEnd = scrollHeight - scrollTop - clientHeight < AT_END
    } else if (room.target.value === null) {
      log.current.scrollTop = log.current.scrollHeight
      room.atEnd = true
    }
    hold()
  })
}

/** Mark as read what was on the screen for a second while the window had the focus. Scrolling alone is not reading. */
function useReading(model: Model, room: RoomState, row: Conversation | undefined, log: { current: HTMLDivElement | null }): void {
  const read = useRef(row?.read ?? 0)
  read.current = Math.max(read.current, row?.read ?? 0)
  useEffect(() => {
    let seen = 0
    const look = () => {
      const last = lastVisible(log.current)
      const isLooked = document.visibilityState === 'visible' && document.hasFocus()
      if (isLooked && last > read.current && last === seen) {
        const message = room.rows.value.find(({ seq }) => seq === last)
        if (message) {
          read.current = last
          void model.engine.read(message.id).catch(() => {
            read.current = 0
          })
        }
      }
      seen = isLooked ? last : 0
    }
    const timer = setInterval(look, READ_AFTER)
    return () => clearInterval(timer)
  }, [room])
}

function lastVisible(log: HTMLDivElement | null): number {
  if (!log) return 0
  const { bottom } = log.getBoundingClientRect()
  const all = [...log.querySelectorAll<HTMLElement>('[data-seq]')].reverse()
  return Number(all.find((element) => element.getBoundingClientRect().bottom <= bottom + 2)?.dataset.seq ?? 0)
}

function flash(log: HTMLElement | null, id: string): void {
  const element = document.getElementById(id)
  if (!log || !element) return
  element.scrollIntoView({ block: 'center' })
  element.classList.add('flash')
  setTimeout(() => element.classList.remove('flash'), FLASH)
}

/** The arrows move among the messages. */
function roam(event: KeyboardEvent, log: HTMLElement): void {
  if (event.isComposing || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return
  const target = event.target as HTMLElement
  if (target.closest('.menu')) return
  const all = [...log.querySelectorAll<HTMLElement>('article')]
  const at = all.indexOf(document.activeElement as HTMLElement)
  const next = at < 0 ? all.at(-1) : all[at + (event.key === 'ArrowUp' ? -1 : 1)]
  if (!next) return
  event.preventDefault()
  next.focus()
}
