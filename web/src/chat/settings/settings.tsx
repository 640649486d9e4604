import '../../ui/forms.css'
import '../../ui/pages.css'

import { useState } from 'preact/hooks'

import { type Language, language, speak, t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import { Icon } from '../../ui/icons.tsx'
import { go } from '../route.ts'
import { Account } from './account.tsx'
import { size, theme, type Theme } from './dress.ts'

/** What somebody can choose: the look of the page, how it behaves, and the account. */
export function Settings({ model, onKeys }: { model: Model; onKeys: () => void }) {
  const words = t().frame
  return (
    <section class="page settings" aria-label={words.settings}>
      <header>
        <button type="button" class="icon back" aria-label={t().common.back} onClick={() => go({ view: 'list' })}>
          <Icon name="left" />
        </button>
        <h2>{words.settings}</h2>
      </header>
      <div class="page-in">
        <Choice name={words.language} value={language.value} choices={{ zh: '中文', en: 'English' }} onChoose={(value) => speak(value as Language)} />
        <Choice
          name={words.theme}
          value={theme.value}
          choices={words.themes}
          onChoose={(value) => {
            theme.value = value as Theme
          }}
        />
        <SendKey />
        <label class="setting">
          <span>{words.textSize}</span>
          <input type="range" min="85" max="200" step="5" value={size.value} onInput={(event) => (size.value = Number(event.currentTarget.value))} />
          <output>{size.value} %</output>
        </label>
        <Notifications />
        <p class="setting">
          <span>{words.storage}</span>
          <span>{model.link.value.durable ? words.storageKept : words.notDurable}</span>
        </p>
        <p class="setting">
          <span>{words.keys}</span>
          <button type="button" class="plain" onClick={onKeys}>
            {words.keys}
          </button>
        </p>
        <Account model={model} />
      </div>
    </section>
  )
}

interface ChoiceProps {
  name: string
  value: string
  choices: Record<string, string>
  onChoose: (value: string) => void
}

function Choice({ name, value, choices, onChoose }: ChoiceProps) {
  return (
    <fieldset class="setting">
      <legend>{name}</legend>
      {Object.entries(choices).map(([key, label]) => (
        <label>
          <input type="radio" name={name} checked={key === value} onChange={() => onChoose(key)} /> {label}
        </label>
      ))}
    </fieldset>
  )
}

function SendKey() {
  const [key, setKey] = useState(localStorage.getItem('sendKey') ?? 'enter')
  const words = t().frame
  const choose = (value: string) => {
    localStorage.setItem('sendKey', value)
    setKey(value)
  }
  return <Choice name={words.sendKey} value={key} choices={words.sendKeys} onChoose={choose} />
}

function Notifications() {
  const words = t().frame
  const [state, setState] = useState(() => ('Notification' in window ? Notification.permission : 'missing'))
  const ask = async () => setState(await Notification.requestPermission())
  return (
    <>
      <p class="setting">
        <span>{words.notifications}</span>
        {state === 'default' && (
          <button type="button" onClick={() => void ask()}>
            {words.notifyMe}
          </button>
        )}
        {state === 'granted' && <span>{words.notifyOn}</span>}
        {state === 'denied' && <span>{words.notifyDenied}</span>}
        {state === 'missing' && <span>{words.notifyMissing}</span>}
      </p>
      {state === 'granted' && (
        <p class="setting">
          <label>
            {words.quietFrom} <Hour name="quietFrom" />
          </label>{' '}
          <label>
            {words.quietTo} <Hour name="quietTo" />
          </label>
        </p>
      )}
    </>
  )
}

function Hour({ name }: { name: string }) {
  return <input type="time" value={localStorage.getItem(name) ?? ''} onChange={(event) => localStorage.setItem(name, event.currentTarget.value)} />
}
