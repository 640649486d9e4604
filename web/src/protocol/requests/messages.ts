/** Requests about messages and conversations. Times are in ms since 1970. */
import { readNumber, readReaction } from '../fields.ts'
import { sumsOf, words } from '../pushes.ts'
import { splitId } from '../names.ts'
import type { Tags } from '../lines.ts'
import {
  conversationOf,
  idOf,
  type Item,
  items,
  lineOf,
  lineText,
  mentionOf,
  messageText,
  need,
  nothing,
  type Numbered,
  refused,
  type Reply,
  type Request,
  request,
  split,
  textOf,
} from '../request.ts'

/** A message of the past, with the text that stands now. */
export interface HistoryItem {
  id: string
  from: string
  time: number
  text: string
  /** The id of the edit by which the text stands; empty for a message that was never edited. */
  edited: string
  reactions: Record<string, number>
  /** The reactions of one's own account among these. */
  mine: string[]
  pinned: boolean
  /** The account that recalled it; empty for all others. `text` is then only a sentence. */
  recalled: string
  reply: string
  mention: string[]
  notice: boolean
}

/** A conversation of the list, with a preview of its last message. */
export interface Listed {
  conversation: string
  last: number
  read: number
  unread: number
  mentions: number
  time: number
  /** The display name of the other account. */
  name: string
  remark: string
  notify: 'all' | 'mentions' | 'none'
  until: number
  pinned: boolean
  archived: boolean
  /** The last message: its id, empty if there is none; its beginning, at most 200 bytes. */
  id: string
  from: string
  text: string
  recalled: string
}

/** How many members have read a message, of how many, and the names of up to 100 of them. */
export interface Readers {
  count: number
  members: number
  names: string[]
}

function historyItem({ text, tags }: Item): HistoryItem {
  const [id, from, time, said] = need(split(text, 3), 4)
  return {
    id,
    from,
    time: readNumber(time),
    text: textOf(said, tags),
    edited: tags.edited ?? '',
    reactions: sumsOf(tags.react),
    mine: words(tags.mine),
    pinned: 'pinned' in tags,
    recalled: tags.recalled ?? '',
    reply: tags.reply ?? '',
    mention: words(tags.mention),
    notice: 'notice' in tags,
  }
}

/** Mark a conversation as read: up to a message, or all of it. */
export function markRead(upto: string): Request<void> {
  return request('SEND_READ', { fields: [upto.includes(':') ? idOf(upto) : conversationOf(upto)], result: nothing })
}

/** List messages of the past, oldest first: the newest, or those before or after a message. */
export function history(conversation: string, before?: string, after?: string, limit = 50): Request<HistoryItem[]> {
  const tags: Tags = { limit: String(limit) }
  if (before !== undefined) tags.before = idOf(before)
  if (after !== undefined) tags.after = idOf(after)
  return request('REQ_HISTORY', { fields: [conversationOf(conversation)], tags, result: items(historyItem) })
}

/** List conversations, newest first; `before` is the `<time>-<conversation>` of the last one of another page. */
export function conversations(preview = true, limit = 100, before?: string): Request<Listed[]> {
  const tags: Tags = { limit: String(limit) }
  if (preview) tags.preview = ''
  if (before !== undefined) tags.before = placeOf(before)
  return request('REQ_CONVERSATIONS', { tags, result: items(listed) })
}

function placeOf(place: string): string {
  const at = place.indexOf('-')
  if (!/^[0-9]{1,15}-/.test(place)) throw refused('BADTAG')
  return `${place.slice(0, at)}-${conversationOf(place.slice(at + 1))}`
}

function listed({ text, tags }: Item): Listed {
  const [conversation, last, read, unread, id = '-', said] = need(split(text, 5), 4)
  return {
    conversation,
    last: readNumber(last),
    read: readNumber(read),
    unread: readNumber(unread),
    mentions: readNumber(tags.mentions ?? '0'),
    time: readNumber(tags.time ?? '0'),
    name: tags.name ?? '',
    remark: tags.remark ?? '',
    notify: (tags.notify ?? 'all') as Listed['notify'],
    until: readNumber(tags.until ?? '0'),
    pinned: 'pinned' in tags,
    archived: 'archived' in tags,
    id: said === undefined ? '' : id,
    from: said === undefined ? '' : (tags.from ?? ''),
    text: textOf(said ?? '', tags),
    recalled: tags.recalled ?? '',
  }
}

/** Return one message, as history shows it. */
export function message(id: string): Request<HistoryItem> {
  return request('REQ_MESSAGE', { fields: [idOf(id)], result: only })
}

function only({ items: [item, ...more] }: Reply): HistoryItem {
  if (!item || more.length) throw new Error('one message was asked for')
  return historyItem(item)
}

/** List all texts of a message, the oldest first. */
export function versions(id: string): Request<HistoryItem[]> {
  return request('REQ_VERSIONS', { fields: [idOf(id)], result: items(historyItem) })
}

/** Return reaction → the accounts that have given it. */
export function reactions(id: string): Request<Record<string, string[]>> {
  return request('REQ_REACTIONS', {
    fields: [idOf(id)],
    result: (reply) => {
      // A reaction may be any word, such as one that every object has as a property.
      const found = new Map<string, string[]>()
      for (const { text } of reply.items) {
        const [reaction, account] = need(text.split(' '), 2)
        found.set(reaction, [...(found.get(reaction) ?? []), account])
      }
      return Object.fromEntries(found)
    },
  })
}

/** List the pinned messages of a conversation, in the order in which they were pinned. */
export function pins(conversation: string): Request<HistoryItem[]> {
  return request('REQ_PINS', { fields: [conversationOf(conversation)], result: items(historyItem) })
}

/** Return which members have read up to a message. */
export function readers(id: string): Request<Readers> {
  return request('REQ_READERS', {
    fields: [idOf(id)],
    result: (reply) => {
      const [counts = [], ...names] = reply.items.map(({ text }) => text.split(' '))
      const [count, members] = need(counts, 2)
      return { count: readNumber(count), members: readNumber(members), names: names.map(([name = '']) => name) }
    },
  })
}

/** Report a message to the operators of the server. */
export function reportMessage(id: string, reason = ''): Request<void> {
  return request('REPORT_MESSAGE', { fields: [idOf(id)], text: reason ? lineText(reason, 'CONTROL') : '', result: nothing })
}

/** Set one setting of a conversation: `notify`, `until`, `pinned`, `archived` or `remark`. */
export function setConversation(conversation: string, setting: string, value: string): Request<void> {
  const fields = [conversationOf(conversation), setting]
  const text = value ? lineText(value, setting === 'remark' ? 'BADNAME' : 'FIELDS') : '-'
  return request('SET_CONVERSATION', { fields, text, result: nothing })
}

/** Be told who is typing in a conversation, and in a small topic who has read it. */
export function watchConversation(conversation: string): Request<void> {
  return request('WATCH_CONVERSATION', { fields: [conversationOf(conversation)], result: nothing })
}

export function unwatchConversation(conversation: string): Request<void> {
  return request('UNWATCH_CONVERSATION', { fields: [conversationOf(conversation)], result: nothing })
}

/** Show that one is typing to those who watch the conversation. */
export function typing(conversation: string): Request<void> {
  return request('SEND_TYPING', { fields: [conversationOf(conversation)], result: nothing })
}

// Operations on messages.

/** Replace the text of a message; with `was`, only if the text of that message or edit still stands. */
export function edit(id: string, text: string, was?: string, mention?: string[]): Numbered {
  const raw = messageText(text)
  if (!raw.text) throw refused('FIELDS')
  const tags: Tags = { ...raw.tags }
  if (was !== undefined) tags.was = idOf(was)
  if (mention !== undefined) tags.mention = mentionOf(mention)
  return numbered('SEND_EDIT', id, [], raw.text, tags)
}

/** Recall a message: its text is erased, and `reason` may be shown in its place. */
export function recall(id: string, reason = ''): Numbered {
  const raw = messageText(reason)
  return numbered('SEND_RECALL', id, [], raw.text, raw.tags)
}

/** React to a message. */
export function react(id: string, reaction: string): Numbered {
  return numbered('SEND_REACTION', id, [reactionOf(reaction)])
}

/** Take a reaction back. */
export function unreact(id: string, reaction: string): Numbered {
  return numbered('REMOVE_REACTION', id, [reactionOf(reaction)])
}

export function pin(id: string): Numbered {
  return numbered('SEND_PIN', id)
}

export function unpin(id: string): Numbered {
  return numbered('REMOVE_PIN', id)
}

function numbered(verb: string, id: string, fields: string[] = [], text = '', tags: Tags = {}): Numbered {
  return { conversation: splitId(idOf(id))[0], verb, line: lineOf(verb, [id, ...fields], text, tags) }
}

function reactionOf(text: string): string {
  try {
    return readReaction(text)
  } catch {
    throw refused('FIELDS', 'a reaction has 1 to 32 bytes, no commas and no invisible characters')
  }
}
