import { useRef, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import { mentions } from '../../engine/fold.ts'
import type { Model } from '../../model/model.ts'
import type { Message, MessageId, Outgoing } from '../../model/types.ts'
import { shownName, Text } from '../../text/text.tsx'
import { clock, full } from '../../text/times.ts'
import { Face, pigment } from '../../ui/face.tsx'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'
import { Menu } from '../../ui/menu.tsx'
import { pure } from '../../ui/pure.ts'
import { type Acts, menuOf } from './acts.tsx'

export type State = 'theirs' | 'stored' | 'read'

interface Props {
  model: Model
  message: Message
  /** Whether it begins a group of one author. */
  first: boolean
  state: State
  /** The message that it answers: undefined while it is not known, null if it is gone. */
  quoted?: Message | null
  replies: number
  acts: Acts
  language: string
  names: ReadonlyMap<string, string>
}

/** How long a press is before it opens the menu, in ms. */
const LONG_PRESS = 500

/** A stored message. */
export const Letter = pure(({ model, message, ...rest }: Props) => {
  if (message.recalled) return <Recalled model={model} message={message} acts={rest.acts} />
  return <Whole model={model} message={message} {...rest} />
})

function Recalled({ model, message, acts }: Pick<Props, 'model' | 'message' | 'acts'>) {
  const { by, reason } = message.recalled!
  const words = t().room
  const kept = by === model.account && message.from === model.account ? acts.recalledText(message.id) : undefined
  return (
    <p class="note" id={domId(message.id)} data-seq={message.seq}>
      {by === model.account ? words.recalledMine : words.recalledBy(shownName(model.nameOf(by)))}
      {reason && words.recalledReason(reason)}
      {kept !== undefined && (
        <>
          {' '}
          <button type="button" class="plain" onClick={() => acts.write(kept)}>
            {words.editAgain}
          </button>
        </>
      )}
    </p>
  )
}

function Whole({ model, message, first, state, quoted, replies, acts }: Props) {
  const [menu, setMenu] = useState(false)
  const press = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const words = t().room
  const isMine = state !== 'theirs'
  const name = shownName(model.nameOf(message.from))
  const stateWord = state === 'theirs' ? '' : `, ${state === 'read' ? words.read : words.stored}`
  const isHit = !isMine && mentions(message, model.account)
  const classes = ['msg', isMine && 'me', first && 'first', isHit && 'hit', menu && 'show'].filter(Boolean).join(' ')
  const label = `${name}, ${clock(message.time)}${stateWord}: ${message.text}`
  const openMenu = () => setMenu(true)
  return (
    <article
      class={classes}
      id={domId(message.id)}
      data-seq={message.seq}
      aria-label={label}
      tabIndex={-1}
      style={{ '--by': `var(--n${pigment(message.from)})` }}
      onKeyDown={(event) => event.target === event.currentTarget && acts.key(event, message, openMenu)}
      onContextMenu={(event) => {
        if (getSelection()?.isCollapsed === false) return
        event.preventDefault()
        openMenu()
      }}
      onTouchStart={() => {
        press.current = setTimeout(openMenu, LONG_PRESS)
      }}
      onTouchEnd={() => clearTimeout(press.current)}
      onTouchMove={() => clearTimeout(press.current)}
    >
      {!isMine && first && <Face id={message.from} name={name} size="s" />}
      {!isMine && first && (
        <div class="by">
          <bdi onDblClick={() => acts.mention(message.from)}>{name}</bdi>
        </div>
      )}
      <div class="row">
        <div class="letter">
          {message.reply && <Quote model={model} id={message.reply} quoted={quoted} acts={acts} />}
          <Text text={message.text} account={model.account} />
          <span class={`stamp ${state === 'read' ? 'read' : ''}`}>
            {message.pinned && <Icon name="pin" label={words.pinned} />}
            {message.edited && (
              <button type="button" class="plain" onClick={() => acts.versions(message)}>
                {words.edited}
              </button>
            )}
            <time dateTime={new Date(message.time).toISOString()} title={full(message.time)}>
              {clock(message.time)}
            </time>
            {state === 'stored' && <Icon name="carp" class="fish one" label={words.stored} />}
            {state === 'read' && <Icon name="carps" class="fish" label={words.read} />}
          </span>
        </div>
      </div>
      <Reactions message={message} acts={acts} />
      {replies > 0 && (
        <button type="button" class="replies" onClick={() => acts.thread(message)}>
          <Icon name="reply" /> {words.replies(replies)}
        </button>
      )}
      <div class="tools" role="toolbar" aria-label={words.message}>
        <button type="button" class="icon" aria-label={words.react} onClick={() => acts.pick(message)}>
          <Icon name="smile" />
        </button>
        <button type="button" class="icon" aria-label={words.reply} onClick={() => acts.reply(message)}>
          <Icon name="reply" />
        </button>
        <button type="button" class="icon" aria-label={t().common.more} aria-haspopup="menu" aria-expanded={menu} onClick={openMenu}>
          <Icon name="more" />
        </button>
      </div>
      {menu && <Menu name={words.message} items={menuOf(message, isMine, acts)} onClose={() => setMenu(false)} />}
    </article>
  )
}

function Quote({ model, id, quoted, acts }: { model: Model; id: MessageId; quoted?: Message | null; acts: Acts }) {
  const words = t().room
  const isGone = quoted === null || quoted?.recalled
  return (
    <button
      type="button"
      class="quote"
      style={quoted ? { '--by': `var(--n${pigment(quoted.from)})` } : {}}
      disabled={!!isGone}
      onClick={() => acts.jump(id)}
    >
      {quoted && !isGone && <b>{shownName(model.nameOf(quoted.from))}</b>}
      <span>{isGone ? words.quoteGone : (quoted?.text ?? '…')}</span>
    </button>
  )
}

function Reactions({ message, acts }: { message: Message; acts: Acts }) {
  const words = t().room
  const all = Object.entries(message.reactions ?? {})
  if (!all.length) return null
  return (
    <div class="react">
      {all.map(([emoji, count]) => {
        const isMine = message.mine?.includes(emoji) ?? false
        return (
          <button
            type="button"
            key={emoji}
            aria-pressed={isMine}
            aria-label={isMine ? words.unreact(emoji, count) : words.reacted(emoji, count)}
            onClick={() => acts.react(message, emoji, !isMine)}
            onContextMenu={(event) => {
              event.preventDefault()
              event.stopPropagation()
              acts.reactions(message)
            }}
          >
            <span aria-hidden="true">{emoji}</span>
            {count}
          </button>
        )
      })}
      <button type="button" aria-label={words.react} onClick={() => acts.pick(message)}>
        <Icon name="smile" />
      </button>
    </div>
  )
}

/** Something of this device that waits to be sent, or failed. */
export function WaitingLetter({ model, row, first, acts }: { model: Model; row: Outgoing; first: boolean; acts: Acts }) {
  const words = t().room
  const state = row.error ? words.failed : words.waiting
  return (
    <article
      class={`msg me ${first ? 'first' : ''} ${row.error ? 'failed' : ''}`}
      aria-label={`${shownName(model.nameOf(model.account))}, ${clock(row.time)}, ${state}: ${row.text}`}
      tabIndex={-1}
    >
      <div class="row">
        <div class="letter">
          <Text text={row.text} account={model.account} />
          <span class="stamp wait">
            <time dateTime={new Date(row.time).toISOString()}>{clock(row.time)}</time>
            <Icon name={row.error ? 'warn' : 'clock'} label={state} />
          </span>
        </div>
      </div>
      {row.error && (
        <p class="refused" role="alert">
          {failureText(row.error)}{' '}
          <button type="button" class="plain" onClick={() => void model.engine.retry(row.key)}>
            {words.tryAgain}
          </button>{' '}
          <button
            type="button"
            class="plain"
            onClick={() => {
              acts.write(row.text)
              void model.engine.discard(row.key)
            }}
          >
            {words.edit}
          </button>{' '}
          <button type="button" class="plain" onClick={() => void model.engine.discard(row.key)}>
            {words.discard}
          </button>
        </p>
      )}
    </article>
  )
}

/** Return the id of a message's element. */
export function domId(id: MessageId): string {
  return `m-${id}`
}
