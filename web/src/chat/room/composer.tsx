import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { ConversationId, Message } from '../../model/types.ts'
import { bytesOf, MAX_TEXT } from '../../protocol/lines.ts'
import { shownName } from '../../text/text.tsx'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'
import { isComposing } from '../../ui/ime.ts'
import { lazy } from '../../ui/lazy.tsx'
import { Completion, completed, type Wanted, wantedAt } from './completion.tsx'
import { pieces } from './pieces.ts'

const EmojiDialog = lazy(() => import('./emoji.tsx').then((it) => it.EmojiDialog))

/** Milliseconds without a key after which a draft is kept. */
const PAUSE = 400
/** The bytes that are left when the count of them appears. */
const COUNT_FROM = 500

/** What the composer is about: a new message, an answer, or another text for a message. */
export type About = { reply: Message } | { edit: Message } | null

interface Props {
  model: Model
  id: ConversationId
  title: string
  about: About
  onAbout: (about: About) => void
  /** A text to put in, and a number that grows with each. */
  put: { text: string; number: number; add: boolean }
  /** Edit the last message of one's own. */
  onEditLast: () => void
  waiting: number
}

/** Where messages are written. */
export function Composer({ model, id, title, about, onAbout, put, onEditLast, waiting }: Props) {
  const area = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState('')
  const [emojis, setEmojis] = useState(false)
  const [wanted, setWanted] = useState<Wanted | null>(null)
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const shown = useRef(id)
  shown.current = id
  /** The text that was begun before an edit. */
  const before = useRef('')
  const words = t().room
  const isTouch = matchMedia('(pointer: coarse)').matches
  const byCtrl = localStorage.getItem('sendKey') === 'ctrl' || isTouch

  useDraft(model, id, text, about, setText)
  // On a phone the focus would open its keyboard.
  useEffect(() => {
    if (!isTouch) area.current?.focus()
  }, [id])

  useLayoutEffect(() => {
    const element = area.current!
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])

  const editing = about !== null && 'edit' in about ? about.edit : null
  useEffect(() => {
    if (editing) {
      before.current = text
      change(editing.text)
    }
    if (about) area.current?.focus()
  }, [editing?.id, about !== null && 'reply' in about ? about.reply.id : ''])
  useEffect(() => {
    if (!put.number) return
    change(put.add ? `${text}${text && !text.endsWith(' ') ? ' ' : ''}${put.text}` : put.text)
    area.current?.focus()
  }, [put.number])

  const change = (now: string) => {
    setText(now)
    setNote('')
  }

  const leave = () => {
    if (editing) change(before.current)
    onAbout(null)
  }

  const send = () => {
    const said = text.trim()
    if (!said || busy) return
    void (editing ? edit(editing, said) : write(said))
    area.current?.focus()
  }

  const edit = async (message: Message, said: string) => {
    setBusy(true)
    try {
      if (said !== message.text) await model.engine.edit(message.id, said, message.edited ?? message.id)
      change(before.current)
      onAbout(null)
    } catch (failure) {
      setNote(failureText(failure))
    }
    setBusy(false)
  }

  /** Send a text. The field is free at once for the next one; what could not be kept comes back to it. */
  const write = async (said: string) => {
    const reply = about && 'reply' in about ? about.reply.id : undefined
    change('')
    onAbout(null)
    const rest = pieces(said)
    try {
      for (let first = true; rest.length; first = false) {
        await model.engine.send(id, rest[0]!, first && reply ? { reply } : {})
        rest.shift()
      }
    } catch (failure) {
      const back = rest.join('\n')
      if (shown.current === id) setText((now) => (now ? `${back}\n${now}` : back))
      else void model.engine.draft(id, back).catch(() => {})
      setNote(failureText(failure))
    }
  }

  const key = (event: KeyboardEvent) => {
    if (isComposing(event) || wanted) return
    const sends = byCtrl ? event.ctrlKey || event.metaKey : !event.shiftKey && !event.altKey
    if (event.key === 'Enter' && sends) {
      event.preventDefault()
      send()
    } else if (event.key === 'Escape' && about) {
      event.preventDefault()
      leave()
    } else if (event.key === 'ArrowUp' && text === '') {
      event.preventDefault()
      onEditLast()
    }
  }

  const typed = (event: InputEvent) => {
    const element = event.currentTarget as HTMLTextAreaElement
    change(element.value)
    if (element.value) model.engine.typing(id)
    look(event.isComposing)
  }

  /** Look whether a name is being written; not while an input method composes. */
  const look = (composing: boolean) => {
    const { value, selectionStart } = area.current!
    setWanted(!composing && id.startsWith('#') ? wantedAt(value, selectionStart) : null)
  }

  const complete = (account: string) => {
    const done = completed(text, wanted!, account)
    change(done.text)
    setWanted(null)
    requestAnimationFrame(() => {
      area.current?.focus()
      area.current?.setSelectionRange(done.caret, done.caret)
    })
  }

  const files = (list: FileList | undefined | null, event: Event) => {
    if (!list?.length) return
    event.preventDefault()
    setNote(words.filesLater)
  }

  const left = MAX_TEXT - bytesOf(text)
  return (
    <div class="desk" onDrop={(event) => files(event.dataTransfer?.files, event)} onDragOver={(event) => event.preventDefault()}>
      {wanted && <Completion model={model} topic={id.slice(1)} wanted={wanted} onPick={complete} onClose={() => setWanted(null)} area={area} />}
      <div class="in">
        {about && (
          <div class="re">
            <Icon name={editing ? 'edit' : 'reply'} />
            <span>
              <b>{editing ? words.editing : words.replyTo(shownName(model.nameOf((about as { reply: Message }).reply.from)))}</b>{' '}
              <bdi>{(editing ?? (about as { reply: Message }).reply).text}</bdi>
            </span>
            <button type="button" class="icon" aria-label={editing ? words.stopEdit : words.stopReply} onClick={leave}>
              <Icon name="x" />
            </button>
          </div>
        )}
        <div class="write">
          <textarea
            ref={area}
            rows={1}
            aria-label={words.message}
            placeholder={words.writeTo(title)}
            value={text}
            readOnly={busy}
            enterkeyhint={byCtrl ? 'enter' : 'send'}
            onInput={typed}
            onKeyDown={key}
            onCompositionEnd={() => look(false)}
            onClick={() => look(false)}
            onPaste={(event) => files(event.clipboardData?.files, event)}
          />
          <button type="button" class="icon" aria-label={words.emoji} onClick={() => setEmojis(true)}>
            <Icon name="smile" />
          </button>
          <button type="button" class="send" aria-label={words.send} disabled={!text.trim()} onClick={send}>
            <Icon name="swim" />
          </button>
        </div>
      </div>
      <p class="hint">
        <span>{note ? <span role="alert">{note}</span> : byCtrl ? words.sendHintCtrl : words.sendHint}</span>
        <span>{left < 0 ? words.tooLong : left < COUNT_FROM ? words.left(left) : waiting ? words.waitingCount(waiting) : ''}</span>
      </p>
      {emojis && (
        <EmojiDialog
          title={words.emoji}
          onClose={() => setEmojis(false)}
          onPick={(emoji) => {
            const { selectionStart, selectionEnd } = area.current!
            change(text.slice(0, selectionStart) + emoji + text.slice(selectionEnd))
            setEmojis(false)
            area.current?.focus()
          }}
        />
      )}
    </div>
  )
}

/** Keep the text that was begun: after a pause, and at every way out of the conversation. */
function useDraft(model: Model, id: ConversationId, text: string, about: About, put: (text: string) => void): void {
  const now = useRef({ id, text, isEdit: false, loaded: '' })
  const keep = () => {
    const { id: of, text: draft, isEdit, loaded } = now.current
    if (loaded === of && !isEdit) void model.engine.draft(of, draft).catch(() => {})
  }
  const isEdit = about !== null && 'edit' in about
  useEffect(() => {
    // What was begun before an edit is kept as it stood then.
    if (isEdit && !now.current.isEdit) keep()
    now.current = { ...now.current, text, isEdit }
    const timer = setTimeout(keep, PAUSE)
    return () => clearTimeout(timer)
  }, [text, isEdit])
  useEffect(() => {
    const draft = model.conversations.value.get(id)?.draft ?? ''
    now.current = { id, text: draft, isEdit: false, loaded: id }
    put(draft)
    addEventListener('pagehide', keep)
    document.addEventListener('visibilitychange', keep)
    return () => {
      keep()
      removeEventListener('pagehide', keep)
      document.removeEventListener('visibilitychange', keep)
    }
  }, [id])
}
