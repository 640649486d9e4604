import type { Message } from '../model/types.ts'
import type { Event } from '../protocol/events.ts'
import { type Book, placeOf } from './book.ts'
import { add, cut } from './spans.ts'

/** Notices in topics and of the account that count as unread: doc/protocol.md, "Notices". */
const COUNTED = /^(DISMISSED|SET announcement|INVITED|ACCEPTED|REFUSED)\b/
/** Milliseconds after its reading in which a message may or may not hold an operation that is pushed now. */
export const DOUBTFUL = 10_000

/** What the book cannot find out by itself. */
export interface Wanted {
  /** Messages to read again. */
  messages: Set<string>
  /** Accounts whose names are not known. */
  names: Set<string>
  /** Whether the list of conversations may have changed in a way that no push tells. */
  list: boolean
}

/** Put an event into the book. `readAt` says when a message was read in a page, in ms; 0: it was not. */
export async function fold(book: Book, event: Event, now: number, readAt: (id: string) => number, wanted: Wanted): Promise<void> {
  switch (event.type) {
    case 'message':
      if (event.from !== book.account && book.nameOf(event.from) === undefined) wanted.names.add(event.from)
      store(book, { ...placed(event.id), from: event.from, time: event.time || now, text: event.text, ...tagsOf(event) }, true)
      break
    case 'notice':
      store(book, { ...placed(event.id), from: event.from, time: event.time || now, text: event.text, notice: true }, true)
      noticed(book, event.conversation, event.text, wanted)
      break
    case 'edited':
    case 'recalled':
    case 'reacted':
    case 'pinned':
      await operate(book, event, now, readAt, wanted)
      break
    case 'reactionSums': {
      const message = await book.find(event.of)
      if (message) book.put({ ...message, reactions: event.reactions })
      break
    }
    case 'gap':
    case 'behind': {
      const { spans, top } = book.of(event.conversation)
      const held = event.type === 'gap' ? add(spans, event.first, event.last) : spans
      book.change(event.conversation, {}, { spans: held, top: Math.max(top, event.last) })
      if (event.type === 'behind') book.hole(event.conversation, event.first, event.last)
      // How many of these numbers are unread, only the server knows.
      wanted.list = true
      break
    }
    case 'read':
      marked(book, event.account, event.id)
      break
    case 'presence':
      book.tell({ kind: 'presence', rows: [{ account: event.account, online: event.online, since: event.since }] })
      break
    case 'typing':
      book.tell({ kind: 'typing', conversation: event.conversation, account: event.account, at: now })
      break
  }
}

export type Operation = Extract<Event, { type: 'edited' | 'recalled' | 'reacted' | 'pinned' }>

/** Put a message of this device in, which the server has stored. */
export function stored(book: Book, message: Message): void {
  store(book, message, false)
}

/** Do what an operation says to the message that it names, if the browser holds it. */
export async function operate(
  book: Book,
  event: Operation,
  now: number,
  readAt: (id: string) => number,
  wanted: Wanted,
): Promise<void> {
  passed(book, event.id)
  const message = await book.find(event.of)
  if (!message) return
  switch (event.type) {
    case 'edited':
      if (message.edited && placeOf(message.edited).seq > placeOf(event.id).seq) return
      change(book, message, { text: event.text, edited: event.id, mention: event.mention?.length ? event.mention : undefined })
      break
    case 'recalled':
      change(book, message, {
        text: '',
        recalled: { by: event.from, reason: event.reason },
        reactions: undefined,
        mine: undefined,
        mention: undefined,
        pinned: false,
      })
      break
    case 'pinned':
      change(book, message, { pinned: event.added })
      break
    case 'reacted':
      if (now - readAt(message.id) < DOUBTFUL) wanted.messages.add(message.id)
      else book.put(reacted(message, event, book.account))
  }
}

function reacted(message: Message, event: Extract<Event, { type: 'reacted' }>, account: string): Message {
  const isMine = event.from === account
  const mine = message.mine ?? []
  if (isMine && mine.includes(event.reaction) === event.added) return message
  // A reaction may be any word, such as one that every object has as a property.
  const sums = new Map(Object.entries(message.reactions ?? {}))
  const count = (sums.get(event.reaction) ?? 0) + (event.added ? 1 : -1)
  if (count > 0) sums.set(event.reaction, count)
  else sums.delete(event.reaction)
  const reactions = Object.fromEntries(sums)
  if (!isMine) return { ...message, reactions }
  return { ...message, reactions, mine: event.added ? [...mine, event.reaction] : mine.filter((one) => one !== event.reaction) }
}

function change(book: Book, message: Message, changes: Partial<Message>): void {
  const changed = { ...message, ...changes }
  book.put(changed)
  const { preview } = book.of(message.conversation).row
  if (preview?.id === message.id) book.change(message.conversation, { preview: previewOf(changed) })
}

/** Put a new message in and count it. `pushed`: the server pushed it, so nothing below it is missing. */
function store(book: Book, message: Message, pushed: boolean): void {
  const id = message.conversation
  restart(book, message)
  const kept = book.of(id)
  const { row } = kept
  const isMine = message.from === book.account && !message.notice
  const isNewest = message.seq > row.last
  book.put(message, pushed)
  const first = pushed && kept.top > 0 && message.seq > kept.top ? kept.top + 1 : message.seq
  const changes: Partial<typeof row> = {}
  if (isNewest) changes.last = message.seq
  if (isNewest && !message.notice) Object.assign(changes, { time: message.time, preview: previewOf(message) })
  if (isMine) {
    if (message.seq > row.read) Object.assign(changes, { read: message.seq, unread: 0, mentions: 0 })
  } else if (message.seq > row.read && (!message.notice || COUNTED.test(message.text))) {
    changes.unread = row.unread + 1
    if (mentions(message, book.account)) changes.mentions = row.mentions + 1
  }
  // Who writes has read what was there, and the server tells nothing more of it.
  if (!isMine && id.includes('+') && message.seq > row.otherRead) changes.otherRead = message.seq
  const name = row.name || (id.startsWith('#') || id.startsWith('@') ? '' : book.nameOf(message.from === book.account ? '' : message.from) ?? '')
  if (name !== row.name) changes.name = name
  book.change(id, changes, {
    spans: add(kept.spans, first, message.seq),
    top: pushed ? Math.max(kept.top, message.seq) : kept.top,
    epoch: Math.max(kept.epoch, message.epoch),
  })
}

/** Drop what the server has lost: a higher epoch uses the numbers of lost messages again. */
function restart(book: Book, message: Message): void {
  const kept = book.of(message.conversation)
  if (message.epoch <= kept.epoch || message.seq > kept.row.last) return
  book.remove(message.conversation, message.seq)
  const last = message.seq - 1
  book.change(message.conversation, { last, read: Math.min(kept.row.read, last) }, { spans: cut(kept.spans, message.seq), top: Math.min(kept.top, last) })
}

/** Take note of a number that holds no message. */
function passed(book: Book, id: string): void {
  const { conversation, seq } = placeOf(id)
  const kept = book.of(conversation)
  if (seq <= kept.top) return
  const first = kept.top > 0 ? kept.top + 1 : seq
  book.change(conversation, {}, { spans: add(kept.spans, first, seq), top: seq })
}

function marked(book: Book, account: string, id: string): void {
  const { conversation, seq } = placeOf(id)
  const { row } = book.of(conversation)
  if (account !== book.account) {
    if (!conversation.startsWith('#') && seq > row.otherRead) book.change(conversation, { otherRead: seq })
  } else if (seq > row.read) {
    const rest = seq >= row.last ? { unread: 0, mentions: 0 } : {}
    book.change(conversation, { read: seq, ...rest })
  }
}

function noticed(book: Book, conversation: string, text: string, wanted: Wanted): void {
  const [what, who] = text.split(' ')
  if (conversation.startsWith('@')) {
    if (what !== 'SET' || who === undefined) wanted.list ||= what === 'ACCEPTED'
    else if (book.of(who).row.last) setting(book, text.slice(4))
    return
  }
  const isMe = who === book.account
  if (what === 'JOINED' && isMe) book.change(conversation, { member: true })
  if (((what === 'LEFT' || what === 'KICKED' || what === 'BANNED') && isMe) || what === 'DISMISSED') {
    book.change(conversation, { member: false })
  }
  if (what === 'SET' && who === 'name') {
    const name = text.slice('SET name '.length)
    book.change(conversation, { name: name === '-' ? '' : name })
  }
}

/** Apply a setting of a conversation, as `alice+bob notify none`. */
export function setting(book: Book, text: string): void {
  const [conversation = '', key = '', ...rest] = text.split(' ')
  const value = rest.join(' ')
  if (key === 'notify') book.change(conversation, { notify: value as 'all' | 'mentions' | 'none' })
  else if (key === 'until') book.change(conversation, { until: Number(value) })
  else if (key === 'remark') book.change(conversation, { remark: value })
  else if (key === 'pinned' || key === 'archived') book.change(conversation, { [key]: value === 'yes' })
}

/** Whether a message mentions an account. */
export function mentions(message: Message, account: string): boolean {
  if (message.mention) return message.mention.includes(account) || message.mention.includes('all')
  return message.conversation.startsWith('#') && message.text.split(/[^a-z0-9._@-]+/).some((word) => word.replace(/[.-]+$/, '') === `@${account}`)
}

/** Return what the list shows of a message. */
export function previewOf(message: Message) {
  const { id, from, text, recalled } = message
  return { id, from: recalled?.by ?? from, text: text.slice(0, 200), ...(recalled ? { recalled: true } : {}) }
}

function placed(id: string) {
  return { id, ...placeOf(id) }
}

function tagsOf(event: { reply?: string; mention?: string[]; edited?: string }): Partial<Message> {
  const tags: Partial<Message> = {}
  if (event.reply) tags.reply = event.reply
  if (event.mention?.length) tags.mention = event.mention
  if (event.edited) tags.edited = event.edited
  return tags
}
