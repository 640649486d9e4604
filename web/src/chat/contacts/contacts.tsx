import '../../ui/forms.css'
import '../../ui/pages.css'

import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import { conversationWith, type Model } from '../../model/model.ts'
import type { Contact, ContactRequest } from '../../protocol/requests.ts'
import { shownName } from '../../text/text.tsx'
import { Face } from '../../ui/face.tsx'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'
import { Asked } from '../room/about.tsx'
import { go } from '../route.ts'

/** The contacts of the account, the requests of others, and a way to ask somebody. */
export function Contacts({ model }: { model: Model }) {
  const [turn, setTurn] = useState(0)
  const [account, setAccount] = useState('')
  const [note, setNote] = useState('')
  const words = t().frame
  const again = () => setTurn((count) => count + 1)
  const attempt = (work: Promise<unknown>, done = '') => {
    work.then(
      () => {
        setNote(done)
        again()
      },
      (failure: unknown) => setNote(failureText(failure)),
    )
  }
  return (
    <section class="page contacts" aria-label={words.contacts}>
      <header>
        <button type="button" class="icon back" aria-label={t().common.back} onClick={() => go({ view: 'list' })}>
          <Icon name="left" />
        </button>
        <h2>{words.contacts}</h2>
      </header>
      <div class="page-in">
        <form
          class="add"
          onSubmit={(event) => {
            event.preventDefault()
            attempt(model.engine.ask('askContact', account.trim()), words.sent)
            setAccount('')
          }}
        >
          <label>
            {words.addContact}
            <input value={account} autocapitalize="none" spellcheck={false} onInput={(event) => setAccount(event.currentTarget.value)} />
          </label>
          <button class="primary" disabled={!account.trim()}>
            {words.add}
          </button>
        </form>
        <p role="status">{note}</p>
        <Asked key={`r${turn}`} ask={() => model.engine.ask<ContactRequest[]>('contactRequests')}>
          {(requests) =>
            requests.length > 0 && (
              <>
                <h3>{words.requests}</h3>
                <ul class="names">
                  {requests.map((one) => (
                    <li>
                      <Face id={one.account} name={one.name || one.account} size="s" />
                      <span>
                        <bdi>{shownName(one.name || one.account)}</bdi> <small>{one.account}</small>
                        {one.text && <bdi class="last">{one.text}</bdi>}
                      </span>
                      <button type="button" onClick={() => attempt(model.engine.ask('acceptContact', one.account))}>
                        {words.accept}
                      </button>
                      <button type="button" onClick={() => attempt(model.engine.ask('refuseContact', one.account))}>
                        {words.refuse}
                      </button>
                    </li>
                  ))}
                </ul>
              </>
            )
          }
        </Asked>
        <Asked key={`c${turn}`} ask={() => model.engine.ask<Contact[]>('contacts')}>
          {(contacts) => <People model={model} contacts={contacts} />}
        </Asked>
      </div>
    </section>
  )
}

function People({ model, contacts }: { model: Model; contacts: Contact[] }) {
  const words = t().frame
  useEffect(() => model.engine.watch(contacts.map(({ account }) => account)), [])
  const online = (account: string) => model.presence.value.get(account)?.online ?? false
  const sorted = [...contacts].sort((a, b) => Number(online(b.account)) - Number(online(a.account)) || a.account.localeCompare(b.account))
  return (
    <ul class="names">
      {sorted.map(({ account, name, remark }) => (
        <li>
          <Face id={account} name={remark || name || account} online={online(account)} size="s" />
          <button type="button" onClick={() => go({ view: 'room', conversation: conversationWith(model.account, account) })}>
            <bdi>{shownName(remark || name || account)}</bdi> <small>{account}</small>
          </button>
        </li>
      ))}
      {!sorted.length && <li class="note">{words.noContacts}</li>}
    </ul>
  )
}
