import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'

import type { IEngine } from './engine.ts'
import type { Change, Conversation, ConversationId, Link, Message, Outgoing, Presence } from './types.ts'

/** Milliseconds for which somebody counts as writing. */
export const TYPING = 6000

/** The state of the pages as signals, kept up to date by the changes of the engine. */
export class Model {
  readonly link: Signal<Link> = signal({ state: 'connecting', caughtUp: 0, durable: true })
  /** Whether the list was told once: a tab that follows gets it a moment later. */
  readonly loaded = signal(false)
  readonly conversations: Signal<ReadonlyMap<ConversationId, Conversation>> = signal(new Map())
  readonly names: Signal<ReadonlyMap<string, string>> = signal(new Map())
  readonly presence: Signal<ReadonlyMap<string, Presence>> = signal(new Map())
  /** Conversation → account → when it was last said to be writing, in ms. */
  readonly typing: Signal<ReadonlyMap<ConversationId, ReadonlyMap<string, number>>> = signal(new Map())
  /** The conversations, pinned ones first, then by time, newest first; archived ones are left out. */
  readonly list: ReadonlySignal<Conversation[]> = computed(() =>
    [...this.conversations.value.values()].filter((row) => !row.archived).sort(byTime),
  )
  /** Unread messages of all conversations that are not silent. */
  readonly unread: ReadonlySignal<number> = computed(() =>
    this.list.value.reduce((sum, row) => sum + (isSilent(row) ? row.mentions : row.unread), 0),
  )
  /** Called with messages that are new or changed; the open room and the notifications listen. */
  readonly heard = new Set<(conversation: ConversationId, rows: Message[], pushed: boolean) => void>()
  /** Called when numbers of a conversation were not pushed. */
  readonly skipped = new Set<(conversation: ConversationId, first: number) => void>()
  /** Called with all that waits or failed in a conversation. */
  readonly waiting = new Set<(conversation: ConversationId, rows: Outgoing[]) => void>()
  readonly engine: IEngine
  readonly account: string
  private readonly end: () => void

  constructor(engine: IEngine) {
    this.engine = engine
    this.account = engine.account
    this.end = engine.subscribe((changes) => batch(() => changes.forEach((change) => this.take(change))))
  }

  /** Stop listening to the engine. */
  stop(): void {
    this.end()
  }

  /** Return the name to show for an account: the remark, the display name, or the account itself. */
  nameOf(account: string): string {
    const remark = this.conversations.value.get(conversationWith(this.account, account))?.remark
    return remark || this.names.value.get(account) || account
  }

  /** Return the title of a conversation. */
  titleOf(row: Conversation): string {
    if (row.remark || row.name) return row.remark || row.name
    const other = otherOf(this.account, row.id)
    return other === null ? row.id.slice(1) : this.nameOf(other)
  }

  private take(change: Change): void {
    switch (change.kind) {
      case 'link':
        this.link.value = change.link
        break
      case 'conversations': {
        const rows = new Map(this.conversations.value)
        change.removed?.forEach((id) => rows.delete(id))
        change.rows.forEach((row) => rows.set(row.id, row))
        this.conversations.value = rows
        this.loaded.value = true
        break
      }
      case 'messages':
        for (const hear of this.heard) hear(change.conversation, change.rows, change.pushed)
        break
      case 'hole':
        for (const skip of this.skipped) skip(change.conversation, change.first)
        break
      case 'outgoing':
        for (const hear of this.waiting) hear(change.conversation, change.rows)
        break
      case 'names':
        this.names.value = new Map([...this.names.value, ...Object.entries(change.names)])
        break
      case 'presence':
        this.presence.value = new Map([
          ...this.presence.value,
          ...change.rows.map((row): [string, Presence] => [row.account, row]),
        ])
        break
      case 'typing': {
        const here = new Map(this.typing.value.get(change.conversation)).set(change.account, change.at)
        this.typing.value = new Map(this.typing.value).set(change.conversation, here)
        break
      }
    }
  }
}

/** Whether new messages of a conversation make no noise. */
export function isSilent(row: Conversation): boolean {
  return row.notify === 'none' || row.until > Date.now()
}

/** Return the conversation of two accounts. */
export function conversationWith(account: string, other: string): ConversationId {
  return account < other ? `${account}+${other}` : `${other}+${account}`
}

/** Return the other account of a conversation of two; null for a topic or notices. */
export function otherOf(account: string, id: ConversationId): string | null {
  if (id.startsWith('#') || id.startsWith('@')) return null
  const [one = '', two = ''] = id.split('+')
  return one === account ? two : one
}

function byTime(a: Conversation, b: Conversation): number {
  return Number(b.pinned) - Number(a.pinned) || b.time - a.time || (a.id < b.id ? -1 : 1)
}
