import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Contact, Named } from '../../protocol/requests.ts'
import { shownName } from '../../text/text.tsx'
import { ago } from '../../text/times.ts'
import { Face } from '../../ui/face.tsx'
import { failureText } from '../../ui/failure.ts'
import { Ask } from '../settings/account.tsx'
import { Confirm, Frame, Notify, Pins } from './parts.tsx'

interface Props {
  model: Model
  id: string
  account: string
  pins: boolean
  onClose: () => void
}

/** The other account of a conversation of two. */
export function PersonPanel({ model, id, account, pins, onClose }: Props) {
  const [isContact, setContact] = useState(false)
  const [isBlocked, setBlocked] = useState(false)
  const [shown, setShown] = useState<'remark' | 'block' | null>(null)
  const [note, setNote] = useState('')
  const words = t().panel
  const row = model.conversations.value.get(id)
  const name = shownName(model.nameOf(account))
  const presence = model.presence.value.get(account)
  useEffect(() => {
    void model.engine.ask<Contact[]>('contacts').then((all) => setContact(all.some((one) => one.account === account)), () => {})
    void model.engine.ask<Named[]>('blocked').then((all) => setBlocked(all.some((one) => one.account === account)), () => {})
  }, [account])
  const attempt = (work: Promise<unknown>, then: () => void) => work.then(then, (failure: unknown) => setNote(failureText(failure)))
  return (
    <Frame title={words.details} onClose={onClose}>
      <div class="card">
        <Face id={account} name={name} online={presence?.online ?? false} />
        <h2>
          <bdi>{name}</bdi>
        </h2>
        <p>{account}</p>
        {presence && <p>{presence.online ? t().room.online : presence.since ? t().room.seen(ago(presence.since)) : ''}</p>}
      </div>
      <p role="alert">{note}</p>
      {pins ? <Pins model={model} id={id} /> : <Notify model={model} row={row} />}
      {account !== model.account && (
        <section class="buttons">
          <button type="button" onClick={() => setShown('remark')}>
            {words.remark}
          </button>
          <button
            type="button"
            onClick={() => void attempt(model.engine.ask(isContact ? 'removeContact' : 'addContact', account), () => setContact(!isContact))}
          >
            {isContact ? words.removeContact : words.addContact}
          </button>
          {isBlocked ? (
            <button type="button" onClick={() => void attempt(model.engine.ask('unblock', account), () => setBlocked(false))}>
              {words.unblock}
            </button>
          ) : (
            <button type="button" class="danger" onClick={() => setShown('block')}>
              {words.block}
            </button>
          )}
        </section>
      )}
      {shown === 'remark' && (
        <Ask
          title={words.remark}
          field={words.remark}
          value={row?.remark ?? ''}
          onClose={() => setShown(null)}
          onDone={(remark) => model.engine.ask('setConversation', id, 'remark', remark)}
        />
      )}
      {shown === 'block' && (
        <Confirm
          title={words.block}
          about={words.confirm(words.block, name)}
          onClose={() => setShown(null)}
          onDone={() => model.engine.ask('block', account).then(() => setBlocked(true))}
        />
      )}
    </Frame>
  )
}
