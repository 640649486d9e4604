import { conversationWith, otherOf } from '../model/model.ts'
import type { Change, Conversation, ConversationId, Message, MessageId, Outgoing } from '../model/types.ts'
import type { IStore, Kept, Saved, Writes } from './store.ts'

/** A message id in its parts. */
export interface Place {
  conversation: ConversationId
  epoch: number
  seq: number
}

/** Return the parts of a message id. */
export function placeOf(id: MessageId): Place {
  const colon = id.lastIndexOf(':')
  const [epoch = 0, seq = 0] = id.slice(colon + 1).split('-').map(Number)
  return { conversation: id.slice(0, colon), epoch, seq }
}

/**
 * All that the browser knows of an account: the conversations in memory, the messages in the store.
 *
 * What changes is gathered until `take`, which returns one transaction and the changes for the pages.
 */
export class Book {
  readonly account: string
  readonly outgoing = new Map<string, Outgoing>()
  private readonly store: IStore
  private readonly kept = new Map<ConversationId, Kept>()
  private names = new Map<string, string>()
  private dirty = new Set<ConversationId>()
  private messages = new Map<string, Message>()
  private pushed = new Set<string>()
  private removed: [ConversationId, number][] = []
  private written = new Set<string>()
  private settled = new Set<string>()
  private fresh = new Map<string, string>()
  private holes: Change[] = []
  private live: Change[] = []

  constructor(account: string, store: IStore) {
    this.account = account
    this.store = store
  }

  /** Fill the book with what was saved. */
  restore(saved: Saved): void {
    for (const each of saved.kept) this.kept.set(each.id, each)
    for (const each of saved.outgoing) this.outgoing.set(each.key, each)
    this.names = new Map(Object.entries(saved.names))
  }

  /** Return the changes that bring a page that knows nothing up to date. */
  whole(): Change[] {
    const rows = [...this.kept.values()].map(({ row }) => row)
    return [
      { kind: 'names', names: Object.fromEntries(this.names) },
      { kind: 'conversations', rows },
    ]
  }

  /** Return what is known of a conversation, which begins empty. To change it, use `change`. */
  of(id: ConversationId): Kept {
    return this.kept.get(id) ?? { id, row: emptyRow(id), spans: [], top: 0, epoch: 0 }
  }

  /** Return all conversations. */
  all(): Conversation[] {
    return [...this.kept.values()].map(({ row }) => row)
  }

  /** Change what is known of a conversation; the row is replaced, never changed in place. */
  change(id: ConversationId, row: Partial<Conversation>, more: Partial<Kept> = {}): void {
    const before = this.of(id)
    this.kept.set(id, { ...before, ...more, row: { ...before.row, ...row } })
    this.dirty.add(id)
  }

  /** Return the display name of an account, if it is known. */
  nameOf(account: string): string | undefined {
    return this.names.get(account)
  }

  /** Learn display names. */
  learn(names: Record<string, string>): void {
    for (const [account, name] of Object.entries(names)) {
      if (this.names.get(account) === name) continue
      this.names.set(account, name)
      this.fresh.set(account, name)
      const id = conversationWith(this.account, account)
      if (this.kept.has(id)) this.change(id, { name })
    }
  }

  /** Put a message in, or another text of it. `pushed`: it arrived just now. */
  put(message: Message, pushed = false): void {
    this.messages.set(message.id, message)
    if (pushed) this.pushed.add(message.id)
  }

  /** Remove all messages from a number on: the store of the server lost them and uses the numbers again. */
  remove(id: ConversationId, from: number): void {
    this.removed.push([id, from])
    for (const [key, one] of this.messages) if (one.conversation === id && one.seq >= from) this.messages.delete(key)
  }

  /** Return a message that the browser holds; null if it holds none of this id. */
  async find(id: MessageId): Promise<Message | null> {
    const changed = this.messages.get(id)
    if (changed) return changed
    const { conversation, seq } = placeOf(id)
    const found = await this.store.get(conversation, seq)
    return found?.id === id ? found : null
  }

  /** Keep something that waits or failed. */
  write(row: Outgoing): void {
    this.outgoing.set(row.key, row)
    this.written.add(row.key)
    this.settled.delete(row.key)
    this.count(row.conversation)
  }

  /** Drop something that waits no more. */
  settle(key: string): void {
    const row = this.outgoing.get(key)
    if (!row) return
    this.outgoing.delete(key)
    this.settled.add(key)
    this.written.delete(key)
    this.count(row.conversation)
  }

  private count(id: ConversationId): void {
    this.waiting.add(id)
    this.change(id, { outgoing: this.outgoingOf(id).length })
  }

  private waiting = new Set<ConversationId>()

  /** Return what waits or failed in a conversation, in the order in which it was written. */
  outgoingOf(id: ConversationId): Outgoing[] {
    return [...this.outgoing.values()].filter((row) => row.conversation === id).sort((a, b) => a.order - b.order)
  }

  /** Tell the pages of numbers that were not pushed, before they are told of messages after these. */
  hole(conversation: ConversationId, first: number, last: number): void {
    this.holes.push({ kind: 'hole', conversation, first, last })
  }

  /** Tell the pages something that is not kept. */
  tell(change: Change): void {
    this.live.push(change)
  }

  /** Return what is to be written, and what the pages are told after it is written. */
  take(): { writes: Writes; changes: Change[]; empty: boolean } {
    const kept = [...this.dirty].map((id) => this.of(id))
    const messages = [...this.messages.values()]
    const writes: Writes = {
      kept,
      messages,
      removed: this.removed,
      outgoing: [...this.written].map((key) => this.outgoing.get(key)!),
      settled: [...this.settled],
    }
    const renamed = this.fresh.size > 0
    if (renamed) writes.names = Object.fromEntries(this.names)
    const changes: Change[] = []
    if (renamed) changes.push({ kind: 'names', names: Object.fromEntries(this.fresh) })
    if (kept.length) changes.push({ kind: 'conversations', rows: kept.map(({ row }) => row) })
    for (const id of this.waiting) changes.push({ kind: 'outgoing', conversation: id, rows: this.outgoingOf(id) })
    changes.push(...this.holes, ...this.shown(messages), ...this.live)
    const empty = !kept.length && !messages.length && !this.removed.length && !this.settled.size && !writes.outgoing.length
    this.dirty = new Set()
    this.messages = new Map()
    this.pushed = new Set()
    this.removed = []
    this.written = new Set()
    this.settled = new Set()
    this.waiting = new Set()
    this.fresh = new Map()
    this.holes = []
    this.live = []
    return { writes, changes, empty: empty && !renamed }
  }

  private shown(messages: Message[]): Change[] {
    const groups = new Map<string, Extract<Change, { kind: 'messages' }>>()
    for (const message of messages) {
      const pushed = this.pushed.has(message.id)
      const key = `${message.conversation} ${pushed}`
      const group = groups.get(key) ?? { kind: 'messages', conversation: message.conversation, rows: [], pushed }
      group.rows.push(message)
      groups.set(key, group)
    }
    return [...groups.values()]
  }
}

/** Return the row of a conversation of which nothing is known. */
export function emptyRow(id: ConversationId): Conversation {
  return {
    id,
    name: '',
    remark: '',
    last: 0,
    read: 0,
    unread: 0,
    mentions: 0,
    time: 0,
    notify: 'all',
    until: 0,
    pinned: false,
    archived: false,
    otherRead: 0,
    draft: '',
    outgoing: 0,
  }
}

/** Return the other account of a conversation of two; null for topics and notices. */
export { otherOf }
