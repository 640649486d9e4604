import { useEffect, useState } from 'preact/hooks'

import { t } from '../i18n/index.ts'
import { type Model } from '../model/model.ts'
import { Face } from '../ui/face.tsx'
import { Icon, type IconName } from '../ui/icons.tsx'
import { lazy } from '../ui/lazy.tsx'
import { attend } from './frame/attention.ts'
import { useKeys } from './frame/keys.ts'
import { Status, Strip } from './frame/strip.tsx'
import { List } from './list/list.tsx'
import { go, type Route, route } from './route.ts'

const Contacts = lazy(() => import('./contacts/contacts.tsx').then((it) => it.Contacts))
const KeysDialog = lazy(() => import('./dialogs/keys.tsx').then((it) => it.KeysDialog))
const Panel = lazy(() => import('./panel/panel.tsx').then((it) => it.Panel))
const loadRoom = () => import('./room/room.tsx').then((it) => it.Room)
const Room = lazy(loadRoom)
const Settings = lazy(() => import('./settings/settings.tsx').then((it) => it.Settings))
const StartDialog = lazy(() => import('./dialogs/start.tsx').then((it) => it.StartDialog))
const Switcher = lazy(() => import('./dialogs/switcher.tsx').then((it) => it.Switcher))

type Shown = 'start' | 'switcher' | 'keys' | null

/** The chat of one account that is logged in: rail, list, room, panel; on a phone one of them. */
export function App({ model }: { model: Model }) {
  const [shown, setShown] = useState<Shown>(null)
  const [info, setInfo] = useState<'' | 'info' | 'pins'>(() => (innerWidth > 1200 ? 'info' : ''))
  const [code] = useState(() => (location.hash.startsWith('#join=') ? location.hash : ''))
  const { view, conversation, message } = route.value
  const words = t().frame
  useEffect(() => attend(model), [model])
  // The list is drawn first; a room is opened soon after it.
  useEffect(() => void setTimeout(loadRoom, 300), [])
  useEffect(() => {
    if (!code) return
    history.replaceState(null, '', location.pathname)
    setShown('start')
  }, [])
  useKeys(model, { switcher: () => setShown('switcher'), keys: () => setShown('keys') })
  const close = () => setShown(null)
  const toggle = (what: 'info' | 'pins') => setInfo((now) => (now === what ? '' : what))
  return (
    <div class={`app view-${view} ${info && conversation ? 'with-panel' : ''}`}>
      <a class="skip" href="#log" onClick={(event) => skip(event)}>
        {words.skip}
      </a>
      <nav class="rail paper" aria-label="FishChat">
        <Icon name="mark" label="鱼传 FishChat" />
        <Places unread={model.unread.value > 0} view={view} />
        <span class="grow" />
        <Place name={words.settings} icon="gear" to={{ view: 'settings' }} isHere={view === 'settings'} />
        <Face id={model.account} name={model.nameOf(model.account)} size="s" online={model.link.value.state === 'online'} />
      </nav>
      <main>
        <h1 class="vh">鱼传 FishChat</h1>
        <Status model={model} />
        <List model={model} current={conversation} onNew={() => setShown('start')} onFind={() => setShown('switcher')} />
        {conversation ? (
          model.loaded.value && <Room key={conversation} model={model} id={conversation} at={message} info={info === 'info'} onInfo={() => toggle('info')} onPins={() => toggle('pins')}>
            <Strip model={model} />
          </Room>
        ) : view === 'contacts' ? (
          <Contacts model={model} />
        ) : view === 'settings' ? (
          <Settings model={model} onKeys={() => setShown('keys')} />
        ) : (
          <section class="room nothing" aria-label={words.choose}>
            <Strip model={model} />
            <div class="empty">
              <Icon name="carp" />
              <p>{words.choose}</p>
            </div>
          </section>
        )}
        {conversation && info && <Panel key={conversation} model={model} id={conversation} pins={info === 'pins'} onClose={() => setInfo('')} />}
      </main>
      <nav class="tabs" aria-label="FishChat">
        <Tab name={words.chats} icon="chat" to={{ view: 'list' }} isHere={view === 'list'} />
        <Tab name={words.contacts} icon="people" to={{ view: 'contacts' }} isHere={view === 'contacts'} />
        <Tab name={words.me} icon="gear" to={{ view: 'settings' }} isHere={view === 'settings'} />
      </nav>
      {shown === 'start' && <StartDialog model={model} code={code} onClose={close} />}
      {shown === 'switcher' && <Switcher model={model} onClose={close} />}
      {shown === 'keys' && <KeysDialog onClose={close} />}
    </div>
  )
}

function Places({ unread, view }: { unread: boolean; view: Route['view'] }) {
  const words = t().frame
  return (
    <>
      <Place name={words.chats} icon="chat" to={{ view: 'list' }} isHere={view === 'list' || view === 'room'} dot={unread} />
      <Place name={words.contacts} icon="people" to={{ view: 'contacts' }} isHere={view === 'contacts'} />
    </>
  )
}

interface PlaceProps {
  name: string
  icon: IconName
  to: Route
  isHere: boolean
  dot?: boolean
}

function Place({ name, icon, to, isHere, dot }: PlaceProps) {
  return (
    <button type="button" class="icon" aria-label={name} aria-current={isHere ? 'page' : undefined} onClick={() => go(to)}>
      <Icon name={icon} />
      {dot && <span class="dot" />}
    </button>
  )
}

function Tab({ name, icon, to, isHere }: PlaceProps) {
  return (
    <button type="button" aria-current={isHere ? 'page' : undefined} onClick={() => go(to)}>
      <Icon name={icon} />
      {name}
    </button>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('.log, .desk textarea, .talks a')?.focus()
}
