import { useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import { isSilent, type Model, otherOf } from '../../model/model.ts'
import type { Conversation } from '../../model/types.ts'
import { shownName } from '../../text/text.tsx'
import { short } from '../../text/times.ts'
import { Face } from '../../ui/face.tsx'
import { Icon } from '../../ui/icons.tsx'
import { Menu, type MenuItem } from '../../ui/menu.tsx'
import { noticeText } from '../room/notices.ts'
import { go, pathOf } from '../route.ts'

const HOUR = 3_600_000

interface Props {
  model: Model
  current?: string
  onNew: () => void
  onFind: () => void
}

/** The list of conversations, with what was last said in each. */
export function List({ model, current, onNew, onFind }: Props) {
  const [archived, setArchived] = useState(false)
  const words = t().frame
  const rows = model.list.value
  const away = [...model.conversations.value.values()].filter((row) => row.archived).sort((a, b) => b.time - a.time)
  return (
    <section class="list paper" aria-label={words.chats}>
      <header>
        <div class="top">
          <h2>
            <Icon name="mark" />
            {words.title}
          </h2>
          <button type="button" class="icon" aria-label={words.newConversation} onClick={onNew}>
            <Icon name="plus" />
          </button>
        </div>
        <button type="button" class="find" onClick={onFind}>
          <Icon name="find" />
          <span>{words.find}</span>
          <kbd>Ctrl K</kbd>
        </button>
      </header>
      <nav class="talks" aria-label={words.conversations} onKeyDown={roam}>
        {rows.map((row) => (
          <Talk key={row.id} model={model} row={row} isCurrent={row.id === current} />
        ))}
        {!rows.length && (
          <div class="empty">
            <Icon name="carp" />
            <p>{words.none}</p>
            <p>{words.noneHint}</p>
          </div>
        )}
        {away.length > 0 && (
          <button type="button" class="fold" aria-expanded={archived} onClick={() => setArchived(!archived)}>
            {words.archived(away.length)}
          </button>
        )}
        {archived && away.map((row) => <Talk key={row.id} model={model} row={row} isCurrent={row.id === current} />)}
      </nav>
    </section>
  )
}

function Talk({ model, row, isCurrent }: { model: Model; row: Conversation; isCurrent: boolean }) {
  const [menu, setMenu] = useState(false)
  const words = t().frame
  const other = otherOf(model.account, row.id)
  const title = row.id.startsWith('@') ? words.notices : shownName(model.titleOf(row))
  const silent = isSilent(row)
  const label = [title, row.unread ? words.unread(row.unread) : '', silent ? words.muted : ''].filter(Boolean).join(', ')
  return (
    <div class={`talk-row ${menu ? 'show' : ''}`}>
      <a
        class="talk"
        href={pathOf({ view: 'room', conversation: row.id })}
        aria-label={label}
        aria-current={isCurrent || undefined}
        data-unread={row.unread > 0 || undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return
          event.preventDefault()
          go({ view: 'room', conversation: row.id })
        }}
        onContextMenu={(event) => {
          event.preventDefault()
          setMenu(true)
        }}
      >
        <Face id={other ?? row.id} name={title} topic={other === null} online={other !== null && (model.presence.value.get(other)?.online ?? false)} />
        <span class="a">
          <bdi class="name">{title}</bdi>
          {row.pinned && <Icon name="pin" />}
          {row.time > 0 && <time dateTime={new Date(row.time).toISOString()}>{short(row.time)}</time>}
        </span>
        <span class="b">
          <Preview model={model} row={row} />
          {silent && <Icon name="bell-off" />}
          {row.unread > 0 && <span class={`count ${silent && !row.mentions ? 'quiet' : ''}`}>{row.unread > 999 ? '999+' : row.unread}</span>}
        </span>
      </a>
      <button type="button" class="icon more" aria-label={`${t().common.more}: ${title}`} aria-haspopup="menu" onClick={() => setMenu(true)}>
        <Icon name="more" />
      </button>
      {menu && <Menu name={title} items={menuOf(model, row)} onClose={() => setMenu(false)} />}
    </div>
  )
}

function Preview({ model, row }: { model: Model; row: Conversation }) {
  const words = t().frame
  const { preview } = row
  if (row.draft) {
    return (
      <bdi class="last">
        <span class="draft">{words.draft}</span>
        {row.draft}
      </bdi>
    )
  }
  if (!preview) return <span class="last" />
  const isNotice = row.id.startsWith('@')
  const who = preview.from === model.account ? words.you : row.id.startsWith('#') ? shownName(model.nameOf(preview.from)) : ''
  const text = preview.recalled ? words.recalled : isNotice ? noticeText(preview, model) : preview.text
  return (
    <bdi class="last">
      {row.mentions > 0 && <span class="at">{words.atYou}</span>}
      {who && !isNotice && <span class="who">{who}: </span>}
      {text}
    </bdi>
  )
}

function menuOf(model: Model, row: Conversation): MenuItem[] {
  const words = t().frame
  const set = (key: string, value: string) => () => void model.engine.ask('setConversation', row.id, key, value).catch(() => {})
  const until = (hours: number) => set('until', String(Date.now() + hours * HOUR))
  const silent = isSilent(row)
  const items: (MenuItem | false)[] = [
    { name: row.pinned ? words.unpin : words.pin, act: set('pinned', row.pinned ? 'no' : 'yes') },
    silent && {
      name: words.unmute,
      act: () => {
        set('notify', 'all')()
        set('until', '0')()
      },
    },
    !silent && { name: words.mute, act: set('notify', 'none') },
    !silent && { name: words.muteHours(1), act: until(1) },
    !silent && { name: words.muteHours(8), act: until(8) },
    row.id.startsWith('#') && row.notify !== 'mentions' && { name: words.onlyMentions, act: set('notify', 'mentions') },
    { name: row.archived ? words.unarchive : words.archive, act: set('archived', row.archived ? 'no' : 'yes') },
    row.unread > 0 && !!row.preview && { name: words.markRead, act: () => void model.engine.read(row.preview!.id).catch(() => {}) },
  ]
  return items.filter((item) => item !== false)
}

/** The arrows move among the conversations. */
function roam(event: KeyboardEvent): void {
  if (event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return
  const list = event.currentTarget as HTMLElement
  if ((event.target as HTMLElement).closest('.menu')) return
  const all = [...list.querySelectorAll<HTMLElement>('a.talk')]
  const next = all[all.indexOf(document.activeElement as HTMLElement) + (event.key === 'ArrowUp' ? -1 : 1)]
  if (!next) return
  event.preventDefault()
  next.focus()
}
