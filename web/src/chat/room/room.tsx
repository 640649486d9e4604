import './room.css'

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'

import { t } from '../../i18n/index.ts'
import { type Model, otherOf } from '../../model/model.ts'
import { RoomState } from '../../model/room.ts'
import type { ConversationId, Message, MessageId } from '../../model/types.ts'
import { shownName } from '../../text/text.tsx'
import { ago } from '../../text/times.ts'
import { announce } from '../../ui/announce.ts'
import { Face } from '../../ui/face.tsx'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'
import { isComposing } from '../../ui/ime.ts'
import { lazy } from '../../ui/lazy.tsx'
import { go, pathOf } from '../route.ts'
import type { Acts } from './acts.tsx'
import { type About, Composer } from './composer.tsx'
import { Log } from './log.tsx'

const EmojiDialog = lazy(() => import('./emoji.tsx').then((it) => it.EmojiDialog))
const Finder = lazy(() => import('./finder.tsx').then((it) => it.Finder))
const ReactionsDialog = lazy(() => import('./about.tsx').then((it) => it.ReactionsDialog))
const ReadersDialog = lazy(() => import('./about.tsx').then((it) => it.ReadersDialog))
const ReportDialog = lazy(() => import('./about.tsx').then((it) => it.ReportDialog))
const ThreadDialog = lazy(() => import('./about.tsx').then((it) => it.ThreadDialog))
const VersionsDialog = lazy(() => import('./about.tsx').then((it) => it.VersionsDialog))

/** How long the text of a message that was recalled here can be edited again, in ms. */
const EDIT_AGAIN = 5 * 60_000

interface Props {
  model: Model
  id: ConversationId
  /** A message to show. */
  at?: MessageId
  info: boolean
  onInfo: () => void
  onPins: () => void
  /** What stands above the messages: that there is no connection. */
  children?: ComponentChildren
}

type Shown = { dialog: 'report' | 'readers' | 'versions' | 'reactions' | 'thread' | 'pick'; message: Message } | null

/** An open conversation. */
export function Room({ model, id, at, info, onInfo, onPins, children }: Props) {
  const room = useMemo(() => new RoomState(model, id), [model, id])
  const [about, setAbout] = useState<About>(null)
  const [put, setPut] = useState({ text: '', number: 0, add: false })
  const [shown, setShown] = useState<Shown>(null)
  const [finding, setFinding] = useState(false)
  const [refusal, setRefusal] = useState('')
  const recalled = useRef(new Map<MessageId, string>())
  const row = model.conversations.value.get(id)
  const title = shownName(row ? model.titleOf(row) : (otherOf(model.account, id) ?? id.slice(1)))
  const words = t().room

  useEffect(() => {
    void room.open(at)
    return () => room.stop()
  }, [room])
  useEffect(() => {
    if (at && !room.loading.value) void room.jump(at)
  }, [at])
  useEffect(() => {
    setAbout(null)
    setFinding(false)
    setRefusal('')
  }, [id])
  useAnnouncements(model, id)

  const attempt = (work: Promise<unknown>) => {
    setRefusal('')
    work.catch((failure: unknown) => setRefusal(failureText(failure)))
  }
  const show = (dialog: NonNullable<Shown>['dialog']) => (message: Message) => setShown({ dialog, message })

  const acts: Acts = useMemo(
    () => ({
      reply: (message) => setAbout({ reply: message }),
      edit: (message) => setAbout({ edit: message }),
      recall: (message) => {
        if (message.from === model.account) {
          recalled.current.set(message.id, message.text)
          setTimeout(() => recalled.current.delete(message.id), EDIT_AGAIN)
        }
        attempt(model.engine.recall(message.id))
      },
      pick: show('pick'),
      react: (message, emoji, on) => attempt(model.engine.react(message.id, emoji, on)),
      pin: (message, on) => attempt(model.engine.pin(message.id, on)),
      copy: (text) => attempt(navigator.clipboard.writeText(text)),
      copyLink: ({ id: message, conversation }) =>
        attempt(navigator.clipboard.writeText(location.origin + pathOf({ view: 'room', conversation, message }))),
      report: show('report'),
      readers: show('readers'),
      versions: show('versions'),
      reactions: show('reactions'),
      thread: show('thread'),
      jump: (message) => go({ view: 'room', conversation: id, message }),
      mention: (account) => setPut((now) => ({ text: `@${account} `, number: now.number + 1, add: true })),
      write: (text) => setPut((now) => ({ text, number: now.number + 1, add: false })),
      recalledText: (message) => recalled.current.get(message),
      key: (event, message, openMenu) => letterKey(event, message, model.account, acts, openMenu),
    }),
    [model, id],
  )

  const editLast = () => {
    const last = room.rows.value.findLast(({ from, notice, recalled: gone }) => from === model.account && !notice && !gone)
    if (last) acts.edit(last)
  }

  return (
    <section
      class="room"
      aria-label={title}
      onKeyDown={(event) => {
        if ((event.ctrlKey || event.metaKey) && event.key === 'f' && !event.shiftKey && !isComposing(event)) {
          event.preventDefault()
          setFinding(true)
        }
      }}
    >
      <header>
        <button type="button" class="icon back" aria-label={t().common.back} onClick={() => history.back()}>
          <Icon name="left" />
        </button>
        <Face id={otherOf(model.account, id) ?? id} name={title} topic={!id.includes('+')} size="s" />
        <div class="t">
          <h2>
            <bdi>{title}</bdi>
          </h2>
          <p>
            <Subtitle model={model} id={id} />
          </p>
        </div>
        <button type="button" class="icon opt" aria-label={words.pins} onClick={onPins}>
          <Icon name="pin" />
        </button>
        <button type="button" class="icon" aria-label={words.find} onClick={() => setFinding(!finding)}>
          <Icon name="find" />
        </button>
        <button type="button" class="icon" aria-label={words.info} aria-pressed={info} onClick={onInfo}>
          <Icon name="side" />
        </button>
      </header>
      {children}
      {finding && <Finder model={model} id={id} onFound={(message) => void room.jump(message)} onClose={() => setFinding(false)} />}
      <Log model={model} room={room} row={row} acts={acts} />
      <Below room={room} />
      {refusal && (
        <p class="refusal" role="alert">
          {refusal}{' '}
          <button type="button" class="plain" onClick={() => setRefusal('')}>
            {t().common.close}
          </button>
        </p>
      )}
      {id.startsWith('@') ? null : row?.member === false && id.startsWith('#') ? (
        <p class="closed">
          {words.notMember}{' '}
          <button type="button" class="plain" onClick={() => attempt(model.engine.ask('join', id.slice(1)))}>
            {words.join}
          </button>
        </p>
      ) : (
        <Composer
          model={model}
          id={id}
          title={title}
          about={about}
          onAbout={setAbout}
          put={put}
          onEditLast={editLast}
          waiting={room.waiting.value.length}
        />
      )}
      {shown && <AboutMessage model={model} room={room} shown={shown} acts={acts} onClose={() => setShown(null)} />}
    </section>
  )
}

interface AboutProps {
  model: Model
  room: RoomState
  shown: NonNullable<Shown>
  acts: Acts
  onClose: () => void
}

/** A dialog about one message. */
function AboutMessage({ model, room, shown: { dialog, message }, acts, onClose }: AboutProps) {
  const props = { model, message, onClose }
  switch (dialog) {
    case 'report':
      return <ReportDialog {...props} />
    case 'readers':
      return <ReadersDialog {...props} />
    case 'versions':
      return <VersionsDialog {...props} />
    case 'reactions':
      return <ReactionsDialog {...props} />
    case 'thread':
      return <ThreadDialog {...props} rows={room.rows.value} onJump={acts.jump} />
    case 'pick': {
      const pick = (emoji: string) => {
        acts.react(message, emoji, !message.mine?.includes(emoji))
        onClose()
      }
      return <EmojiDialog title={t().room.react} onClose={onClose} onPick={pick} />
    }
  }
}

function letterKey(event: KeyboardEvent, message: Message, account: string, acts: Acts, openMenu: () => void): void {
  if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return
  const isMine = message.from === account
  const keys: Record<string, (() => void) | undefined> = {
    r: () => acts.reply(message),
    e: isMine ? () => acts.edit(message) : undefined,
    Delete: () => acts.recall(message),
    '+': () => acts.pick(message),
    Enter: openMenu,
  }
  const act = keys[event.key]
  if (!act) return
  event.preventDefault()
  act()
}

function Subtitle({ model, id }: { model: Model; id: ConversationId }) {
  const words = t().room
  const other = otherOf(model.account, id)
  if (other === null) return <>{id}</>
  const presence = model.presence.value.get(other)
  if (!presence) return <>{other}</>
  if (presence.online) return <>{words.online}</>
  return <>{presence.since ? words.seen(ago(presence.since)) : other}</>
}

function Below({ room }: { room: RoomState }) {
  const count = room.below.value
  const words = t().room
  if (!count && room.last.value) return null
  return (
    <button type="button" class="down" onClick={() => void room.toEnd().then(() => end(room))}>
      <Icon name="down" />
      {count ? words.below(count) : words.toEnd}
    </button>
  )
}

function end(room: RoomState): void {
  room.atEnd = true
  requestAnimationFrame(() => {
    const log = document.querySelector('.log')
    if (log) log.scrollTop = log.scrollHeight
  })
}

/** Have new messages read out, but none that are loaded from the past. */
function useAnnouncements(model: Model, id: ConversationId): void {
  useEffect(() => {
    const hear = (conversation: ConversationId, rows: Message[], pushed: boolean) => {
      if (conversation !== id || !pushed || model.link.value.state !== 'online') return
      for (const { from, text, notice } of rows) if (!notice && from !== model.account) announce(t().room.said(model.nameOf(from), text))
    }
    model.heard.add(hear)
    return () => void model.heard.delete(hear)
  }, [model, id])
}
