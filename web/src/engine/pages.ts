import type { ConversationId, Message, MessageId, Page, Where } from '../model/types.ts'
import type { HistoryItem } from '../protocol/requests.ts'
import { type Book, placeOf } from './book.ts'
import { add, spanOf } from './spans.ts'
import type { IStore } from './store.ts'

/** The most messages that a server returns at once. */
const MOST = 100
/** How many pages are read to find a number whose epoch is not known. */
const TRIES = 3

/** Read a page of history from the server; ids exclude themselves. */
export type ReadHistory = (
  conversation: ConversationId,
  where: { before?: MessageId; after?: MessageId },
  limit: number,
) => Promise<HistoryItem[]>

/** Pages of conversations, from the browser's store where it holds them, else from the server. */
export class Pages {
  private readonly book: Book
  private readonly store: IStore
  private readonly read: ReadHistory
  private readonly save: () => Promise<void>
  /** When messages were read from the server, in ms. */
  private readonly readAt = new Map<MessageId, number>()

  /** `save` commits what the book has gathered. */
  constructor(book: Book, store: IStore, read: ReadHistory, save: () => Promise<void>) {
    this.book = book
    this.store = store
    this.read = read
    this.save = save
  }

  /** Return when a message was read from the server; 0 if it came as a push, or long ago. */
  whenRead(id: MessageId): number {
    return this.readAt.get(id) ?? 0
  }

  async page(id: ConversationId, where: Where, limit: number): Promise<Page> {
    if ('before' in where) return this.before(id, where.before, limit)
    if ('after' in where) return this.after(id, where.after, limit)
    if ('around' in where) return this.around(id, where.around, limit)
    return this.newest(id, limit)
  }

  private async newest(id: ConversationId, limit: number): Promise<Page> {
    const { row, spans } = this.book.of(id)
    if (!spanOf(spans, row.last)) {
      const items = await this.fetch(id, {}, limit)
      const first = items[0] ? placeOf(items[0].id).seq : 1
      const last = Math.max(items.at(-1) ? placeOf(items.at(-1)!.id).seq : 0, row.last)
      await this.hold(id, items, first, last)
      const held = this.book.of(id)
      this.book.change(id, { last: Math.max(held.row.last, last) }, { top: Math.max(held.top, last) })
      await this.save()
    }
    return this.upTo(id, this.book.of(id).row.last, limit)
  }

  private async before(id: ConversationId, before: MessageId, limit: number): Promise<Page> {
    const { seq } = placeOf(before)
    return this.upTo(id, seq - 1, limit, before)
  }

  /** Return the messages up to a number, which are read from the server where they are missing. */
  private async upTo(id: ConversationId, last: number, limit: number, before?: MessageId): Promise<Page> {
    const span = spanOf(this.book.of(id).spans, last)
    const held = span ? await this.store.range(id, span[0], last, limit, true) : []
    const isLast = last >= this.book.of(id).row.last
    if (last < 1 || held.length >= limit || (span && span[0] <= 1)) {
      return { messages: held, first: last < 1 || (held.length < limit && (!span || span[0] <= 1)), last: isLast }
    }
    const from = held[0]?.id ?? before
    try {
      const items = await this.fetch(id, from ? { before: from } : {}, limit - held.length)
      const first = items[0] ? placeOf(items[0].id).seq : 1
      const below = held[0]?.seq ?? (span ? span[0] : last + 1)
      await this.hold(id, items, first, below - 1)
      if (!items.length) return { messages: held, first: true, last: isLast }
      const messages = await this.store.range(id, first, last, limit, true)
      return { messages, first: false, last: isLast }
    } catch (failure) {
      if (held.length) return { messages: held, first: false, last: isLast }
      throw failure
    }
  }

  private async after(id: ConversationId, after: MessageId, limit: number): Promise<Page> {
    const { seq } = placeOf(after)
    const { row, spans } = this.book.of(id)
    const span = spanOf(spans, seq + 1)
    if (seq >= row.last) return { messages: [], first: false, last: true }
    const held = span ? await this.store.range(id, seq + 1, span[1], limit, false) : []
    if (held.length >= limit || (span && span[1] >= row.last)) {
      return { messages: held, first: false, last: !!span && span[1] >= row.last && (held.at(-1)?.seq ?? row.last) >= row.last }
    }
    const from = held.at(-1)?.id ?? after
    const items = await this.fetch(id, { after: from }, limit - held.length)
    const last = items.at(-1) ? placeOf(items.at(-1)!.id).seq : row.last
    await this.hold(id, items, placeOf(from).seq + 1, last)
    const messages = await this.store.range(id, seq + 1, last, limit, false)
    return { messages, first: false, last: last >= this.book.of(id).row.last }
  }

  private async around(id: ConversationId, at: MessageId | number, limit: number): Promise<Page> {
    const half = Math.ceil(limit / 2)
    const middle = typeof at === 'number' ? await this.named(id, at) : at
    const { epoch, seq } = placeOf(middle)
    const earlier = await this.before(id, `${id}:${epoch}-${seq}`, half)
    const from = seq > 1 ? `${id}:${epoch}-${seq - 1}` : `${id}:0-0`
    const later = await this.after(id, from, half)
    return { messages: [...earlier.messages, ...later.messages], first: earlier.first, last: later.last }
  }

  /** Return an id for a number: that of the message, or of the next one that is there. */
  private async named(id: ConversationId, number: number): Promise<MessageId> {
    const [held] = await this.store.range(id, number, Infinity, 1, false)
    if (held && (held.seq === number || spanOf(this.book.of(id).spans, number))) return held.id
    const { epoch } = this.book.of(id)
    let items = await this.fetch(id, { after: `${id}:${epoch}-${number - 1}` }, MOST)
    for (let tries = 0; tries < TRIES && items[0] && placeOf(items[0].id).seq > number; tries++) {
      // The number may be of an earlier epoch.
      const earlier = await this.fetch(id, { before: items[0].id }, MOST)
      if (!earlier.length) break
      items = earlier
    }
    const found = items.find((item) => placeOf(item.id).seq >= number) ?? items.at(-1)
    return found?.id ?? `${id}:${epoch}-${number}`
  }

  private fetch(id: ConversationId, where: { before?: MessageId; after?: MessageId }, limit: number): Promise<HistoryItem[]> {
    return this.read(id, where, Math.min(MOST, Math.max(1, limit)))
  }

  /** Keep what the server returned, and that nothing else is between two numbers. */
  private async hold(id: ConversationId, items: HistoryItem[], first: number, last: number): Promise<void> {
    for (const item of items) this.keep(item)
    this.book.change(id, {}, { spans: add(this.book.of(id).spans, first, last) })
    await this.save()
  }

  /** Keep one message as the server shows it. */
  keep(item: HistoryItem): Message {
    const message = messageOf(item)
    this.book.put(message)
    const now = Date.now()
    if (this.readAt.size > 2000) this.readAt.clear()
    this.readAt.set(message.id, now)
    const kept = this.book.of(message.conversation)
    if (message.epoch > kept.epoch) this.book.change(message.conversation, {}, { epoch: message.epoch })
    return message
  }
}

/** Return the message of an item of history. */
export function messageOf(item: HistoryItem): Message {
  const message: Message = { id: item.id, ...placeOf(item.id), from: item.from, time: item.time, text: item.recalled ? '' : item.text }
  if (item.recalled) message.recalled = { by: item.recalled, reason: '' }
  if (item.reply) message.reply = item.reply
  if (item.mention?.length) message.mention = item.mention
  if (item.edited) message.edited = item.edited
  if (item.pinned) message.pinned = true
  if (item.reactions && Object.keys(item.reactions).length) message.reactions = item.reactions
  if (item.mine?.length) message.mine = item.mine
  if (item.notice) message.notice = true
  return message
}
