import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Conversation } from '../../model/types.ts'
import type { HistoryItem } from '../../protocol/requests.ts'
import { shownName, Text } from '../../text/text.tsx'
import { short } from '../../text/times.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'
import { Asked } from '../room/about.tsx'
import { go } from '../route.ts'

/** The frame of a panel: beside the room, on a phone over it. */
export function Frame({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  return (
    <aside class="panel paper" aria-label={title} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <button type="button" class="icon shut" aria-label={t().common.close} onClick={onClose}>
        <Icon name="x" />
      </button>
      {children}
    </aside>
  )
}

/** The pinned messages of a conversation. */
export function Pins({ model, id }: { model: Model; id: string }) {
  return (
    <section>
      <h3>{t().room.pins}</h3>
      <Asked ask={() => model.engine.ask<HistoryItem[]>('pins', id)}>
        {(pins) => (
          <ul class="pins">
            {pins.map((pin) => (
              <li>
                <button type="button" class="pin" onClick={() => go({ view: 'room', conversation: id, message: pin.id })}>
                  <b>
                    <bdi>{shownName(model.nameOf(pin.from))}</bdi>
                  </b>{' '}
                  <small>{short(pin.time)}</small>
                </button>
                <Text text={pin.text} account={model.account} />
                <button type="button" class="plain" onClick={() => void model.engine.pin(pin.id, false)}>
                  {t().room.unpin}
                </button>
              </li>
            ))}
            {!pins.length && <li class="note">{t().panel.noPins}</li>}
          </ul>
        )}
      </Asked>
    </section>
  )
}

/** Of what a conversation notifies. */
export function Notify({ model, row }: { model: Model; row: Conversation | undefined }) {
  const [note, setNote] = useState('')
  const words = t().panel
  if (!row) return null
  const names = { all: words.notifyAll, mentions: words.notifyMentions, none: words.notifyNone }
  const set = (value: string) => {
    model.engine.ask('setConversation', row.id, 'notify', value).catch((failure: unknown) => setNote(failureText(failure)))
  }
  return (
    <section>
      <fieldset>
        <legend>{words.notify}</legend>
        {Object.entries(names).map(([value, name]) => (
          <label>
            <input type="radio" name={`notify-${row.id}`} checked={row.notify === value} onChange={() => set(value)} /> {name}
          </label>
        ))}
      </fieldset>
      <p role="alert">{note}</p>
    </section>
  )
}

interface ConfirmProps {
  title: string
  about?: string
  /** Whether a reason is asked for. */
  reason?: boolean
  /** What must be typed before it is done. */
  typed?: string
  onDone: (reason: string) => Promise<unknown>
  onClose: () => void
}

/** Ask before something that others notice, or that cannot be undone. */
export function Confirm({ title, about, reason = false, typed, onDone, onClose }: ConfirmProps) {
  const [text, setText] = useState('')
  const [note, setNote] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    onDone(text.trim()).then(onClose, (failure: unknown) => setNote(failureText(failure)))
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {about && <p>{about}</p>}
        {(reason || typed !== undefined) && (
          <label>
            {typed === undefined ? t().panel.reason : typed}
            <input value={text} maxLength={200} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
        )}
        <p role="alert">{note}</p>
        <menu role="group">
          <button type="button" onClick={onClose}>
            {t().common.cancel}
          </button>
          <button class="primary danger" disabled={typed !== undefined && text.trim() !== typed}>
            {title}
          </button>
        </menu>
      </form>
    </Dialog>
  )
}
