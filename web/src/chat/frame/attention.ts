import { effect } from '@preact/signals'

import { mentions } from '../../engine/fold.ts'
import { t } from '../../i18n/index.ts'
import { isSilent, type Model } from '../../model/model.ts'
import type { ConversationId, Message } from '../../model/types.ts'
import { leads } from '../../session.ts'
import { shownName } from '../../text/text.tsx'
import { go, route } from '../route.ts'

/** Tabs tell each other which conversation they show. */
const SHOWN = 'fishchat-shown'

/** Show how much is unread in the title, and notify of new messages. Returns what ends it. */
export function attend(model: Model): () => void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  const endTitle = effect(() => {
    const count = model.unread.value
    document.title = count ? `(${count}) 鱼传 FishChat` : '鱼传 FishChat'
    if (icon) icon.href = count ? '/icon-unread.svg' : '/icon.svg'
  })
  const elsewhere = new Map<string, number>()
  const channel = new BroadcastChannel(SHOWN)
  channel.onmessage = ({ data }: MessageEvent<string>) => elsewhere.set(data, Date.now())
  const say = () => {
    const { conversation } = route.value
    if (conversation && document.visibilityState === 'visible' && document.hasFocus()) channel.postMessage(conversation)
  }
  const timer = setInterval(say, 2000)
  const hear = (conversation: ConversationId, rows: Message[], pushed: boolean) => {
    if (!pushed || !leads.value || model.link.value.state !== 'online') return
    say()
    const isHere = route.value.conversation === conversation && document.visibilityState === 'visible' && document.hasFocus()
    if (isHere || Date.now() - (elsewhere.get(conversation) ?? 0) < 3000) return
    const last = rows.findLast((row) => !row.notice && row.from !== model.account)
    if (last && isWanted(model, last)) notify(model, last)
  }
  model.heard.add(hear)
  return () => {
    endTitle()
    clearInterval(timer)
    channel.close()
    model.heard.delete(hear)
  }
}

function isWanted(model: Model, message: Message): boolean {
  if (!('Notification' in window) || Notification.permission !== 'granted' || isQuiet(new Date())) return false
  const row = model.conversations.value.get(message.conversation)
  if (!row) return true
  const isMention = mentions(message, model.account)
  return row.notify === 'mentions' ? isMention : !isSilent(row)
}

/** Whether this is in the hours of quiet. */
function isQuiet(now: Date): boolean {
  const [from, to] = [localStorage.getItem('quietFrom'), localStorage.getItem('quietTo')]
  if (!from || !to) return false
  const time = `${String(now.getHours()).padStart(2, '0')}:${String(now.getMinutes()).padStart(2, '0')}`
  return from <= to ? from <= time && time < to : time >= from || time < to
}

function notify(model: Model, message: Message): void {
  const row = model.conversations.value.get(message.conversation)
  const title = row ? shownName(model.titleOf(row)) : message.conversation
  const body = message.conversation.startsWith('#') ? `${model.nameOf(message.from)}: ${message.text}` : message.text
  const options = { body: body.slice(0, 200), tag: message.conversation, icon: '/icon.svg', silent: true }
  try {
    const shown = new Notification(title, options)
    shown.onclick = () => {
      window.focus()
      go({ view: 'room', conversation: message.conversation, message: message.id })
      shown.close()
    }
  } catch {
    // Phones show notifications by the service worker only.
    void navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title || t().frame.newIn(title), options))
  }
}
