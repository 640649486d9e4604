import { useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Device, Named } from '../../protocol/requests.ts'
import { leave } from '../../session.ts'
import { shownName } from '../../text/text.tsx'
import { ago } from '../../text/times.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { failureText } from '../../ui/failure.ts'
import { Asked } from '../room/about.tsx'
import { ExportDialog } from './export.tsx'

type Shown = 'devices' | 'blocked' | 'password' | 'name' | 'delete' | 'leave' | 'export' | null

/** The settings of the account: name, password, privacy, devices, and the ways out. */
export function Account({ model }: { model: Model }) {
  const [shown, setShown] = useState<Shown>(null)
  const [note, setNote] = useState('')
  const words = t().panel
  const close = () => setShown(null)
  const attempt = (work: Promise<unknown>, done: string) => {
    work.then(
      () => setNote(done),
      (failure: unknown) => setNote(failureText(failure)),
    )
  }
  const button = (name: string, what: Shown, danger = false) => (
    <button type="button" class={danger ? 'danger' : ''} onClick={() => setShown(what)}>
      {name}
    </button>
  )
  return (
    <section class="account" aria-label={t().frame.account}>
      <h3>
        {t().frame.account}: <bdi>{model.account}</bdi>
      </h3>
      <p role="status">{note}</p>
      <fieldset class="setting">
        <legend>{words.privacy}</legend>
        <button type="button" onClick={() => attempt(model.engine.ask('setPrivacy', 'everyone'), words.saved)}>
          {words.everyone}
        </button>
        <button type="button" onClick={() => attempt(model.engine.ask('setPrivacy', 'contacts'), words.saved)}>
          {words.onlyContacts}
        </button>
      </fieldset>
      <div class="buttons">
        {button(words.displayName, 'name')}
        {button(words.changePassword, 'password')}
        {button(words.devices, 'devices')}
        {button(words.blockedAccounts, 'blocked')}
        {button(words.export, 'export')}
        {button(words.logOut, 'leave', true)}
        {button(words.deleteAccount, 'delete', true)}
      </div>
      {shown === 'devices' && <Devices model={model} onClose={close} />}
      {shown === 'blocked' && <Blocked model={model} onClose={close} />}
      {shown === 'export' && <ExportDialog model={model} onClose={close} />}
      {shown === 'name' && (
        <Ask title={words.displayName} field={words.displayName} value={model.names.value.get(model.account) ?? ''} onClose={close} onDone={(name) => model.engine.ask('setName', name)} />
      )}
      {shown === 'password' && <Ask title={words.changePassword} field={words.newPassword} type="password" onClose={close} onDone={(password) => model.engine.ask('changePassword', password)} />}
      {shown === 'delete' && (
        <Ask
          title={words.deleteAccount}
          about={words.deleteAbout}
          field={t().entry.password}
          type="password"
          danger
          onClose={close}
          onDone={async (password) => {
            await model.engine.ask('deleteAccount', password)
            await model.engine.logOut().catch(() => {})
            await leave()
          }}
        />
      )}
      {shown === 'leave' && <LogOut model={model} onClose={close} />}
    </section>
  )
}

interface AskProps {
  title: string
  field: string
  value?: string
  about?: string
  type?: 'text' | 'password'
  danger?: boolean
  onDone: (text: string) => Promise<unknown>
  onClose: () => void
}

/** Ask for one text, and do something with it. */
export function Ask({ title, field, value = '', about, type = 'text', danger = false, onDone, onClose }: AskProps) {
  const [text, setText] = useState(value)
  const [note, setNote] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    onDone(text).then(onClose, (failure: unknown) => setNote(failureText(failure)))
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {about && <p>{about}</p>}
        <label>
          {field}
          {type === 'password' ? (
            <input type="password" value={text} autocomplete="new-password" onInput={(event) => setText(event.currentTarget.value)} />
          ) : (
            <input value={text} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
          )}
        </label>
        <p role="alert">{note}</p>
        <button class={danger ? 'primary danger' : 'primary'}>{danger ? title : t().common.save}</button>
      </form>
    </Dialog>
  )
}

function Devices({ model, onClose }: { model: Model; onClose: () => void }) {
  const [turn, setTurn] = useState(0)
  const [note, setNote] = useState('')
  const words = t().panel
  const revoke = (device: string) => {
    model.engine.ask('revokeDevice', device).then(
      () => setTurn(turn + 1),
      (failure: unknown) => setNote(failureText(failure)),
    )
  }
  return (
    <Dialog title={words.devices} onClose={onClose}>
      <p role="alert">{note}</p>
      <Asked key={turn} ask={() => model.engine.ask<Device[]>('devices')}>
        {(devices) => (
          <ul class="names">
            {devices.map(({ device, online, lastSeen }) => (
              <li>
                <span>
                  {device}
                  {device === model.engine.device && ` (${words.thisDevice})`}{' '}
                  <small>{online ? t().room.online : lastSeen ? t().room.seen(ago(lastSeen)) : ''}</small>
                </span>
                {device !== model.engine.device && (
                  <button type="button" class="plain danger" onClick={() => revoke(device)}>
                    {words.revoke}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Asked>
    </Dialog>
  )
}

function Blocked({ model, onClose }: { model: Model; onClose: () => void }) {
  const [turn, setTurn] = useState(0)
  const words = t().panel
  return (
    <Dialog title={words.blockedAccounts} onClose={onClose}>
      <Asked key={turn} ask={() => model.engine.ask<Named[]>('blocked')}>
        {(accounts) => (
          <ul class="names">
            {accounts.map(({ account, name }) => (
              <li>
                <bdi>{shownName(name || account)}</bdi>
                <button type="button" class="plain" onClick={() => void model.engine.ask('unblock', account).then(() => setTurn(turn + 1))}>
                  {words.unblock}
                </button>
              </li>
            ))}
            {!accounts.length && <li>{t().frame.nothing}</li>}
          </ul>
        )}
      </Asked>
    </Dialog>
  )
}

function LogOut({ model, onClose }: { model: Model; onClose: () => void }) {
  const words = t().panel
  const waiting = [...model.conversations.value.values()].reduce((sum, row) => sum + row.outgoing, 0)
  return (
    <Dialog title={words.logOut} onClose={onClose}>
      <p>{words.logOutAbout}</p>
      {waiting > 0 && <p role="alert">{words.logOutWaiting(waiting)}</p>}
      <button type="button" class="primary danger" onClick={() => void model.engine.logOut().then(leave, leave)}>
        {words.logOut}
      </button>
    </Dialog>
  )
}
