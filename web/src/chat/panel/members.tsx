import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import { conversationWith, type Model } from '../../model/model.ts'
import type { Member, Role } from '../../protocol/requests.ts'
import { shownName } from '../../text/text.tsx'
import { ago } from '../../text/times.ts'
import { Face } from '../../ui/face.tsx'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'
import { Menu, type MenuItem } from '../../ui/menu.tsx'
import { go } from '../route.ts'
import { Confirm } from './parts.tsx'

/** Members that are read at once, and the most that are on the page. */
const PAGE = 1000
const SHOWN = 200
const RANK = { owner: 0, admin: 1, member: 2 }

interface Props {
  model: Model
  topic: string
  role: Role
  count: number
}

type Deed = { title: string; who: Member; reason: boolean; act: (reason: string) => Promise<unknown> }

/** The members of a topic, those with a role first; what can be done with each depends on one's own role. */
export function Members({ model, topic, role, count }: Props) {
  const [all, setAll] = useState<Member[]>([])
  const [wanted, setWanted] = useState('')
  const [menu, setMenu] = useState('')
  const [deed, setDeed] = useState<Deed | null>(null)
  const [note, setNote] = useState('')
  const words = t().panel
  useEffect(() => {
    let stopped = false
    const read = async () => {
      let members: Member[] = []
      for (let after: string | undefined; ; after = members.at(-1)?.account) {
        const page = await model.engine.ask<Member[]>('members', topic, after, PAGE)
        members = [...members, ...page]
        if (stopped) return
        setAll(members)
        if (page.length < PAGE) break
      }
      model.engine.watch(members.slice(0, 50).map(({ account }) => account))
    }
    read().catch((failure: unknown) => setNote(failureText(failure)))
    return () => {
      stopped = true
    }
  }, [topic])
  const lower = wanted.trim().toLowerCase()
  const found = all
    .filter(({ account, name }) => !lower || account.includes(lower) || name.toLowerCase().includes(lower))
    .sort((a, b) => RANK[a.role] - RANK[b.role])
  const do_ = (title: string, who: Member, reason: boolean, act: Deed['act']) => () => setDeed({ title, who, reason, act })
  const items = (one: Member): MenuItem[] => {
    const { ask } = model.engine
    const request = ask.bind(model.engine)
    const { account } = one
    const isAbove = RANK[role] < RANK[one.role]
    const list: (MenuItem | false)[] = [
      account !== model.account && { name: words.message, act: () => go({ view: 'room', conversation: conversationWith(model.account, account) }) },
      role === 'owner' && one.role === 'member' && { name: words.makeAdmin, act: do_(words.makeAdmin, one, false, () => request('setRole', topic, account, 'admin')) },
      role === 'owner' && one.role === 'admin' && { name: words.makeMember, act: do_(words.makeMember, one, false, () => request('setRole', topic, account, 'member')) },
      role === 'owner' && isAbove && { name: words.transfer, act: do_(words.transfer, one, false, () => request('transfer', topic, account)), danger: true },
      isAbove && one.muted === 0 && { name: words.mute, act: do_(words.mute, one, true, (reason) => request('mute', topic, account, reason)) },
      isAbove && one.muted > 0 && { name: words.unmute, act: do_(words.unmute, one, false, () => request('unmute', topic, account)) },
      isAbove && { name: words.kick, act: do_(words.kick, one, true, (reason) => request('kick', topic, account, reason)), danger: true },
      isAbove && { name: words.ban, act: do_(words.ban, one, true, (reason) => request('ban', topic, account, reason)), danger: true },
    ]
    return list.filter((item) => item !== false)
  }
  return (
    <section>
      <h3>
        <span>{words.members}</span>
        <span class="n">{Math.max(count, all.length)}</span>
      </h3>
      {all.length > 12 && (
        <input type="search" aria-label={words.findMember} placeholder={words.findMember} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      )}
      <p role="alert">{note}</p>
      <ul>
        {found.slice(0, SHOWN).map((one) => {
          const presence = model.presence.value.get(one.account)
          const name = shownName(one.name || model.nameOf(one.account))
          return (
            <li class="member" key={one.account}>
              <Face id={one.account} name={name} size="s" online={presence?.online ?? false} />
              <span class="nm">
                <bdi>{name}</bdi> {one.account === model.account && `(${t().common.you})`}
                <small>
                  {one.account}
                  {presence && !presence.online && presence.since ? ` · ${t().room.seen(ago(presence.since))}` : ''}
                </small>
              </span>
              {one.muted > 0 && <Icon name="bell-off" />}
              {one.role !== 'member' && <span class={`role ${one.role === 'owner' ? 'o' : ''}`}>{words.roles[one.role]}</span>}
              {items(one).length > 0 && (
                <button type="button" class="icon" aria-label={`${words.more}: ${name}`} aria-haspopup="menu" onClick={() => setMenu(one.account)}>
                  <Icon name="more" />
                </button>
              )}
              {menu === one.account && <Menu name={name} items={items(one)} onClose={() => setMenu('')} />}
            </li>
          )
        })}
      </ul>
      {deed && (
        <Confirm
          title={deed.title}
          about={words.confirm(deed.title, shownName(deed.who.name || deed.who.account))}
          reason={deed.reason}
          onDone={deed.act}
          onClose={() => setDeed(null)}
        />
      )}
    </section>
  )
}
