import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Message } from '../../model/types.ts'
import { clock, day } from '../../text/times.ts'

type Kind = keyof ReturnType<typeof t>['room']['notices']

/** Return a notice of the server as a sentence (doc/protocol.md, "Notices"). One that is not known stays as it is. */
export function noticeText(message: Pick<Message, 'from' | 'text'>, model: Model): string {
  const [kind = '', who = '', ...more] = message.text.split(' ')
  const sentences = t().room.notices
  if (!Object.hasOwn(sentences, kind)) return message.text
  const by = message.from === '-' ? t().room.server : model.nameOf(message.from)
  const isTopic = kind === 'INVITED' || kind === 'REQUESTED' || kind === 'ACCEPTED' || kind === 'REFUSED'
  const shown = kind === 'SET' ? who : isTopic ? `#${who}` : model.nameOf(who)
  return sentences[kind as Kind](by, shown, restOf(kind, more))
}

function restOf(kind: string, more: string[]): string {
  if (kind === 'BANNED') return more.slice(1).join(' ')
  if (kind === 'MUTED') {
    const until = Number(more[0])
    const when = until ? `${day(until)} ${clock(until)}` : ''
    return [when, ...more.slice(1)].filter(Boolean).join(' ')
  }
  return more.join(' ')
}

/** Whether a notice is only about somebody who came or went: many of these are folded into one line. */
export function isComing(message: Message): boolean {
  return message.notice === true && /^(JOINED|LEFT) /.test(message.text)
}
