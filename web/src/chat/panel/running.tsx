import { useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Ban, JoinRequest, Link, Role } from '../../protocol/requests.ts'
import { shownName } from '../../text/text.tsx'
import { short } from '../../text/times.ts'
import { failureText } from '../../ui/failure.ts'
import { Asked } from '../room/about.tsx'
import { go } from '../route.ts'
import { Ask } from '../settings/account.tsx'
import { Confirm } from './parts.tsx'

/** Settings that are texts, and those that are one of some values. */
const TEXTS = ['name', 'about', 'announcement', 'slow']
const CHOICES: Record<string, string[]> = {
  kind: ['open', 'approval', 'invitation'],
  write: ['all', 'admins'],
  invite: ['all', 'admins'],
  all: ['all', 'admins'],
  react: ['all', 'admins', 'off'],
  history: ['joined', 'all'],
  listed: ['yes', 'no'],
}

interface Props {
  model: Model
  topic: string
  about: Record<string, string>
  role: Role
  onChanged: () => void
}

/** How a topic is run: for its admins and its owner. */
export function Running({ model, topic, about, role, onChanged }: Props) {
  const [edited, setEdited] = useState('')
  const [dismissing, setDismissing] = useState(false)
  const [turn, setTurn] = useState(0)
  const [note, setNote] = useState('')
  const words = t().panel
  const set = (key: string, value: string) => model.engine.ask('setTopic', topic, key, value).then(onChanged)
  const attempt = (work: Promise<unknown>) => {
    setNote('')
    work.then(
      () => setTurn((count) => count + 1),
      (failure: unknown) => setNote(failureText(failure)),
    )
  }
  const request = (name: string, ...args: unknown[]) => attempt(model.engine.ask(name, topic, ...args))
  return (
    <>
      <section>
        <details>
          <summary>{words.settings}</summary>
          <dl class="settings">
            {TEXTS.map((key) => (
              <>
                <dt>{words.setting[key]}</dt>
                <dd>
                  <button type="button" onClick={() => setEdited(key)}>
                    <bdi>{about[key] || words.none}</bdi>
                  </button>
                </dd>
              </>
            ))}
            {Object.entries(CHOICES).map(([key, values]) => (
              <>
                <dt>
                  <label for={`set-${key}`}>{words.setting[key]}</label>
                </dt>
                <dd>
                  <select id={`set-${key}`} value={about[key] ?? values[0]} onChange={(event) => attempt(set(key, event.currentTarget.value))}>
                    {values.map((value) => (
                      <option value={value}>{words.values[value]}</option>
                    ))}
                  </select>
                </dd>
              </>
            ))}
          </dl>
        </details>
        <p role="alert">{note}</p>
      </section>
      <section>
        <details>
          <summary>{words.requests}</summary>
          <Asked key={turn} ask={() => model.engine.ask<JoinRequest[]>('joinRequests', topic)}>
            {(requests) => (
              <ul class="names">
                {requests.map(({ account, text }) => (
                  <li>
                    <span>
                      <bdi>{shownName(model.nameOf(account))}</bdi> <small>{text}</small>
                    </span>
                    <button type="button" onClick={() => request('acceptMember', account)}>
                      {words.accept}
                    </button>
                    <button type="button" onClick={() => request('refuseMember', account)}>
                      {words.refuse}
                    </button>
                  </li>
                ))}
                {!requests.length && <li>{words.none}</li>}
              </ul>
            )}
          </Asked>
        </details>
      </section>
      <Links model={model} topic={topic} />
      <section>
        <details>
          <summary>{words.banned}</summary>
          <Asked key={turn} ask={() => model.engine.ask<Ban[]>('banned', topic)}>
            {(bans) => (
              <ul class="names">
                {bans.map(({ account, reason }) => (
                  <li>
                    <span>
                      {account} <small>{reason}</small>
                    </span>
                    <button type="button" onClick={() => request('unban', account)}>
                      {words.unban}
                    </button>
                  </li>
                ))}
                {!bans.length && <li>{words.none}</li>}
              </ul>
            )}
          </Asked>
        </details>
      </section>
      {role === 'owner' && (
        <section>
          <button type="button" class="danger" onClick={() => setDismissing(true)}>
            {words.dismiss}
          </button>
        </section>
      )}
      {edited && (
        <Ask title={words.setting[edited]!} field={words.setting[edited]!} value={about[edited] ?? ''} onClose={() => setEdited('')} onDone={(text) => set(edited, text)} />
      )}
      {dismissing && (
        <Confirm
          title={words.dismiss}
          about={words.dismissAbout}
          typed={topic}
          onClose={() => setDismissing(false)}
          onDone={() => model.engine.ask('dismiss', topic).then(() => go({ view: 'list' }))}
        />
      )}
    </>
  )
}

function Links({ model, topic }: { model: Model; topic: string }) {
  const [made, setMade] = useState('')
  const [turn, setTurn] = useState(0)
  const [note, setNote] = useState('')
  const words = t().panel
  const make = async (approval: boolean) => {
    try {
      const { code } = await model.engine.ask<{ code: string }>('createLink', topic, undefined, undefined, approval)
      const address = `${location.origin}/#join=${code}`
      setMade(address)
      setTurn(turn + 1)
      await navigator.clipboard.writeText(address).catch(() => {})
    } catch (failure) {
      setNote(failureText(failure))
    }
  }
  const revoke = (id: string) => {
    model.engine.ask('revokeLink', topic, id).then(
      () => setTurn(turn + 1),
      (failure: unknown) => setNote(failureText(failure)),
    )
  }
  return (
    <section>
      <details>
        <summary>{words.links}</summary>
        <div class="buttons">
          <button type="button" onClick={() => void make(false)}>
            {words.newLink}
          </button>
          <button type="button" onClick={() => void make(true)}>
            {words.newLinkApproval}
          </button>
        </div>
        {made && (
          <p role="status">
            {words.linkMade} <code>{made}</code>
          </p>
        )}
        <p role="alert">{note}</p>
        <Asked key={turn} ask={() => model.engine.ask<Link[]>('links', topic)}>
          {(links) => (
            <ul class="names">
              {links.map(({ id, by, expires }) => (
                <li>
                  <span>
                    {id} <small>{words.linkBy(by, short(expires))}</small>
                  </span>
                  <button type="button" onClick={() => revoke(id)}>
                    {words.revoke}
                  </button>
                </li>
              ))}
              {!links.length && <li>{words.none}</li>}
            </ul>
          )}
        </Asked>
      </details>
    </section>
  )
}
