import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Message } from '../../model/types.ts'
import type { Role } from '../../protocol/requests.ts'
import { shownName, Text } from '../../text/text.tsx'
import { Face } from '../../ui/face.tsx'
import { Icon } from '../../ui/icons.tsx'
import { go } from '../route.ts'
import { Ask } from '../settings/account.tsx'
import { Members } from './members.tsx'
import { Confirm, Frame, Notify, Pins } from './parts.tsx'
import { Running } from './running.tsx'

interface Props {
  model: Model
  id: string
  pins: boolean
  onClose: () => void
}

/** A topic: what it is, who is in it, and for those who may, how it is run. */
export function TopicPanel({ model, id, pins: startsWithPins, onClose }: Props) {
  const topic = id.slice(1)
  const [about, setAbout] = useState<Record<string, string>>({})
  const [turn, setTurn] = useState(0)
  const [pins, setPins] = useState(startsWithPins)
  const [notify, setNotify] = useState(false)
  const [shown, setShown] = useState<'invite' | 'leave' | null>(null)
  const words = t().panel
  const row = model.conversations.value.get(id)
  useEffect(() => setPins(startsWithPins), [startsWithPins])
  useEffect(() => void model.engine.ask<Record<string, string>>('describe', topic).then(setAbout, () => {}), [id, turn])
  useNotices(model, id, () => setTurn((count) => count + 1))
  const title = shownName(about.name || row?.name || topic)
  const role = (about.role ?? 'member') as Role
  return (
    <Frame title={words.details} onClose={onClose}>
      <div class="card">
        <Face id={id} name={title} topic />
        <h2>
          <bdi>{title}</bdi>
        </h2>
        <p>
          <bdi>{about.about || id}</bdi>
        </p>
      </div>
      <div class="acts">
        <Act name={words.invite} icon="invite" onAct={() => setShown('invite')} />
        <Act name={words.notify} icon="bell" isOn={notify} onAct={() => setNotify(!notify)} />
        <Act name={words.pins} icon="pin" isOn={pins} onAct={() => setPins(!pins)} />
        <Act name={words.leave} icon="leave" onAct={() => setShown('leave')} />
      </div>
      {notify && <Notify model={model} row={row} />}
      {pins && <Pins key={turn} model={model} id={id} />}
      {about.announcement && (
        <section>
          <h3>{words.announcement}</h3>
          <div class="notice">
            <Text text={about.announcement} account={model.account} />
          </div>
        </section>
      )}
      <Members key={turn} model={model} topic={topic} role={role} count={Number(about.members ?? 0)} />
      {role !== 'member' && <Running model={model} topic={topic} about={about} role={role} onChanged={() => setTurn(turn + 1)} />}
      {shown === 'invite' && (
        <Ask title={words.invite} field={words.account(title)} onClose={() => setShown(null)} onDone={(account) => model.engine.ask('invite', topic, account.trim())} />
      )}
      {shown === 'leave' && (
        <Confirm
          title={words.leave}
          about={words.leaveAbout}
          onClose={() => setShown(null)}
          onDone={() => model.engine.ask('leave', topic).then(() => go({ view: 'list' }))}
        />
      )}
    </Frame>
  )
}

function Act({ name, icon, isOn, onAct }: { name: string; icon: 'invite' | 'bell' | 'pin' | 'leave'; isOn?: boolean; onAct: () => void }) {
  return (
    <button type="button" aria-pressed={isOn} onClick={onAct}>
      <Icon name={icon} />
      {name}
    </button>
  )
}

/** Call when a notice says that the topic is another one now. */
function useNotices(model: Model, id: string, changed: () => void): void {
  useEffect(() => {
    const hear = (conversation: string, rows: Message[], pushed: boolean) => {
      if (conversation === id && pushed && rows.some(({ notice }) => notice)) changed()
    }
    model.heard.add(hear)
    return () => void model.heard.delete(hear)
  }, [model, id])
}
