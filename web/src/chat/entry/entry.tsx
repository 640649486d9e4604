import '../../ui/forms.css'
import './entry.css'

import { useEffect, useState } from 'preact/hooks'

import { type ServerInfo, serverInfo } from '../../engine/server.ts'
import { language, speak, t } from '../../i18n/index.ts'
import type { Failure } from '../../model/types.ts'
import { enter } from '../../session.ts'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'

/** The way in: what there is to do depends on how the server lets accounts in, and on what the address carries. */
export function Entry() {
  const [info, setInfo] = useState<ServerInfo | null>(null)
  const [failed, setFailed] = useState(false)
  const words = t().entry
  const ask = () => {
    setFailed(false)
    serverInfo().then(setInfo, () => setFailed(true))
  }
  useEffect(ask, [])
  return (
    <main class="entry">
      <div class="card">
        <Icon name="mark" />
        <h1>{words.welcome}</h1>
        {failed && (
          <p role="alert">
            {words.unreachable}{' '}
            <button type="button" class="plain" onClick={ask}>
              {t().common.retry}
            </button>
          </p>
        )}
        {info && <Form info={info} />}
        {!isSecureContext && <p class="hint">{words.insecure}</p>}
        <p class="languages">
          <button type="button" class="plain" lang="zh" aria-pressed={language.value === 'zh'} onClick={() => speak('zh')}>
            中文
          </button>{' '}
          <button type="button" class="plain" lang="en" aria-pressed={language.value === 'en'} onClick={() => speak('en')}>
            English
          </button>
        </p>
      </div>
    </main>
  )
}

function Form({ info: { mode } }: { info: ServerInfo }) {
  const given = new URLSearchParams(location.hash.slice(1))
  const invite = given.get('invite') ?? undefined
  const [code, setCode] = useState(given.get('code') ?? undefined)
  const [account, setAccount] = useState(given.get('account') ?? '')
  const [password, setPassword] = useState('')
  const [creates, setCreates] = useState(invite !== undefined)
  const [busy, setBusy] = useState(false)
  const [note, setNote] = useState('')
  const words = t().entry
  const isOpen = mode === 'open'
  const asksPassword = !isOpen && !code
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setNote('')
    try {
      const secrets = isOpen ? {} : code ? { code } : { password, ...(creates ? { create: true, invite } : {}) }
      await enter({ account: account.trim().toLowerCase(), ...secrets })
      if (invite || code || given.has('account')) history.replaceState(null, '', location.pathname)
    } catch (failure) {
      const isUsed = code !== undefined && (failure as Failure).word === 'AUTH'
      if (isUsed) {
        // The password is left as a way in, and a reload does not try the code again.
        setCode(undefined)
        history.replaceState(null, '', location.pathname)
      }
      setNote(isUsed ? words.codeUsed : failureText(failure))
      setBusy(false)
    }
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      <p>{isOpen ? words.open : code ? words.linked : invite ? words.invited : mode === 'signup' ? words.signup : words.closed}</p>
      <label>
        {words.name}
        <input
          value={account}
          required
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          maxLength={32}
          aria-describedby="name-hint"
          onInput={(event) => setAccount(event.currentTarget.value)}
        />
      </label>
      <small id="name-hint">{words.nameHint}</small>
      {asksPassword && (
        <>
          <label>
            {words.password}
            <input
              type="password"
              value={password}
              required
              autocomplete={creates ? 'new-password' : 'current-password'}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </label>
          {creates && <small>{words.createHint}</small>}
        </>
      )}
      <p class="refused" role="alert">
        {note}
      </p>
      <button class="primary" disabled={busy || !account.trim() || (asksPassword && !password)}>
        {busy ? words.entering : creates && asksPassword ? words.create : words.enter}
      </button>
      {mode === 'signup' && !code && (
        <button type="button" class="plain" onClick={() => setCreates(!creates)}>
          {creates ? words.haveAccount : words.create}
        </button>
      )}
      {mode === 'closed' && !invite && !code && <p class="hint">{words.noAccount}</p>}
    </form>
  )
}
