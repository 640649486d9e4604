import { t } from '../../i18n/index.ts'
import type { Message, MessageId } from '../../model/types.ts'
import { Icon } from '../../ui/icons.tsx'
import type { MenuItem } from '../../ui/menu.tsx'

/** What can be done with a message in a room. */
export interface Acts {
  reply(message: Message): void
  edit(message: Message): void
  recall(message: Message): void
  /** Open the choice of reactions. */
  pick(message: Message): void
  react(message: Message, emoji: string, on: boolean): void
  pin(message: Message, on: boolean): void
  copy(text: string): void
  copyLink(message: Message): void
  report(message: Message): void
  readers(message: Message): void
  versions(message: Message): void
  reactions(message: Message): void
  thread(message: Message): void
  jump(id: MessageId): void
  mention(account: string): void
  /** Put a text into the composer. */
  write(text: string): void
  /** The text of a message that was recalled here a moment ago. */
  recalledText(id: MessageId): string | undefined
  key(event: KeyboardEvent, message: Message, openMenu: () => void): void
}

/** Return the menu of a message. What the server may refuse is offered: it says why. */
export function menuOf(message: Message, isMine: boolean, acts: Acts): MenuItem[] {
  const words = t().room
  const items: (MenuItem | false)[] = [
    { name: words.reply, icon: <Icon name="reply" />, act: () => acts.reply(message) },
    isMine && { name: words.edit, icon: <Icon name="edit" />, act: () => acts.edit(message) },
    (isMine || message.id.startsWith('#')) && { name: words.recall, icon: <Icon name="undo" />, act: () => acts.recall(message), danger: true },
    { name: words.react, icon: <Icon name="smile" />, act: () => acts.pick(message) },
    { name: message.pinned ? words.unpin : words.pin, icon: <Icon name="pin" />, act: () => acts.pin(message, !message.pinned) },
    { name: words.copy, icon: <Icon name="copy" />, act: () => acts.copy(message.text) },
    { name: words.copyLink, icon: <Icon name="link" />, act: () => acts.copyLink(message) },
    isMine && { name: words.readers, icon: <Icon name="eye" />, act: () => acts.readers(message) },
    !isMine && { name: words.report, icon: <Icon name="flag" />, act: () => acts.report(message), danger: true },
  ]
  return items.filter((item) => item !== false)
}
