import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Message, MessageId } from '../../model/types.ts'
import type { HistoryItem, Readers } from '../../protocol/requests.ts'
import { shownName, Text } from '../../text/text.tsx'
import { full } from '../../text/times.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { failureText } from '../../ui/failure.ts'

interface Props {
  model: Model
  message: Message
  onClose: () => void
}

/** Ask the server when something is shown; draws a note while it waits, and the reason of a failure. */
export function Asked<T>({ ask, children }: { ask: () => Promise<T>; children: (found: T) => ComponentChildren }) {
  const [found, setFound] = useState<{ value: T } | { failure: unknown } | null>(null)
  useEffect(() => {
    ask().then(
      (value) => setFound({ value }),
      (failure: unknown) => setFound({ failure }),
    )
  }, [])
  if (!found) return <p class="note">{t().room.loading}</p>
  if ('failure' in found) {
    return (
      <p class="note" role="alert">
        {failureText(found.failure)}
      </p>
    )
  }
  return <>{children(found.value)}</>
}

/** Report a message to the operators of the server. */
export function ReportDialog({ model, message, onClose }: Props) {
  const [reason, setReason] = useState('')
  const [note, setNote] = useState('')
  const words = t().panel
  const send = (event: Event) => {
    event.preventDefault()
    model.engine.ask('reportMessage', message.id, reason.trim()).then(
      () => setNote(words.reported),
      (failure: unknown) => setNote(failureText(failure)),
    )
  }
  return (
    <Dialog title={t().room.report} onClose={onClose}>
      <p>{words.reportAbout}</p>
      <blockquote>
        <Text text={message.text} account={model.account} />
      </blockquote>
      <form onSubmit={send}>
        <label>
          {words.reason}
          <input value={reason} maxLength={200} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <p role="status">{note}</p>
        <menu role="group">
          <button type="button" onClick={onClose}>
            {t().common.close}
          </button>
          <button class="primary" disabled={note === words.reported}>
            {t().room.report}
          </button>
        </menu>
      </form>
    </Dialog>
  )
}

/** Who has read a message. */
export function ReadersDialog({ model, message, onClose }: Props) {
  return (
    <Dialog title={t().room.readers} onClose={onClose}>
      <Asked ask={() => model.engine.ask<Readers>('readers', message.id)}>
        {({ count, members, names }) => (
          <>
            <p>{t().panel.readBy(count, members)}</p>
            <Names model={model} names={names} />
          </>
        )}
      </Asked>
    </Dialog>
  )
}

/** The texts that a message had. */
export function VersionsDialog({ model, message, onClose }: Props) {
  return (
    <Dialog title={t().room.edited} onClose={onClose}>
      <Asked ask={() => model.engine.ask<HistoryItem[]>('versions', message.id)}>
        {(versions) => (
          <ol class="versions">
            {versions.map(({ time, text }) => (
              <li>
                <small>{full(time)}</small>
                <Text text={text} account={model.account} />
              </li>
            ))}
          </ol>
        )}
      </Asked>
    </Dialog>
  )
}

/** Who has reacted to a message. */
export function ReactionsDialog({ model, message, onClose }: Props) {
  return (
    <Dialog title={t().room.react} onClose={onClose}>
      <Asked ask={() => model.engine.ask<Record<string, string[]>>('reactions', message.id)}>
        {(reactions) =>
          Object.entries(reactions).map(([emoji, names]) => (
            <section>
              <h3>{emoji}</h3>
              <Names model={model} names={names} />
            </section>
          ))
        }
      </Asked>
    </Dialog>
  )
}

/** A message with the answers to it, and the answers to those, among what is loaded. */
export function ThreadDialog({ model, message, rows, onJump, onClose }: Props & { rows: Message[]; onJump: (id: MessageId) => void }) {
  const ids = new Set([message.id])
  const thread = [message]
  for (const row of rows) {
    if (row.reply && ids.has(row.reply) && !row.recalled) {
      ids.add(row.id)
      thread.push(row)
    }
  }
  return (
    <Dialog title={t().room.thread} onClose={onClose} class="thread">
      <ol>
        {thread.map((row) => (
          <li>
            <button
              type="button"
              onClick={() => {
                onClose()
                onJump(row.id)
              }}
            >
              <b>
                <bdi>{shownName(model.nameOf(row.from))}</bdi>
              </b>{' '}
              <small>{full(row.time)}</small>
            </button>
            <Text text={row.text} account={model.account} />
          </li>
        ))}
      </ol>
    </Dialog>
  )
}

function Names({ model, names }: { model: Model; names: string[] }) {
  return (
    <ul class="names">
      {names.map((account) => (
        <li>
          <bdi>{shownName(model.nameOf(account))}</bdi> <small>{account}</small>
        </li>
      ))}
    </ul>
  )
}
