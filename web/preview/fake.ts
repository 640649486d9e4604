import type { IEngine } from '../src/model/engine.ts'
import type { Change, Conversation, ConversationId, Message, MessageId, Outgoing, Page, Where } from '../src/model/types.ts'

const DAY = 86_400_000
const NOW = Date.now()

/** An engine without a server, with people who have talked: to look at the pages while they are written. */
export class FakeEngine implements IEngine {
  readonly account = 'lin'
  readonly device = 'web-sample'
  private readonly listeners = new Set<(changes: Change[]) => void>()
  private readonly messages = new Map<ConversationId, Message[]>()
  private readonly rows = new Map<ConversationId, Conversation>()

  constructor(many = 0) {
    const say = (id: ConversationId, from: string, ago: number, text: string, more: Partial<Message> = {}) => {
      const all = this.messages.get(id) ?? []
      const seq = all.length + 1
      all.push({ id: `${id}:471893-${seq}`, conversation: id, epoch: 471893, seq, from, time: NOW - ago, text, ...more })
      this.messages.set(id, all)
    }
    for (let n = 0; n < many; n++) say('#fishing', n % 3 ? 'mia' : 'zhang', 2 * DAY + (many - n) * 60_000, `Letter ${n}. ${'It is a long one. '.repeat(n % 9)}`)
    say('#fishing', 'zhang', DAY + 9e6, 'JOINED mia', { notice: true })
    say('#fishing', 'zhang', DAY, 'The lake this morning, not a breath of wind.\nIf tomorrow is the same, the carp will bite.', { reactions: { '🎣': 4, '❤️': 3 }, mine: ['🎣'], pinned: true })
    say('#fishing', 'mia', 34e6, 'Beautiful. May I bring my `pond-bot`? It reports the temperature every **half hour**: https://example.org/pond', { edited: '#fishing:471893-99' })
    say('#fishing', 'lin', 33e6, 'Of course, one line to the group is enough.', { reply: `#fishing:471893-${many + 3}` })
    say('#fishing', 'lin', 32e6, 'I bring rods and chairs. Who brings breakfast?')
    say('#fishing', 'chen', 31e6, '', { recalled: { by: 'chen', reason: '' } })
    say('#fishing', 'chen', 6e5, '@lin 早饭我来，豆浆油条各七份。Bring the big net this time, that is how the three-kilo one got away 😂', { mention: ['lin'] })
    say('#fishing', 'zhang', 4e5, 'Six at the pier, I bring the tea 🍵')
    say('lin+mia', 'mia', 5e5, 'Got the photos, they are lovely!')
    say('lin+mia', 'lin', 7e5, 'See you on Sunday?')
    say('lin+zhang', 'zhang', DAY, '周五我坐高铁回来')
    say('#family', 'mum', 2e7, 'Remember to eat')
    const row = (id: ConversationId, name: string, more: Partial<Conversation> = {}) => {
      const last = this.messages.get(id)!.at(-1)!
      this.rows.set(id, {
        id, name, remark: '', last: last.seq, read: last.seq, unread: 0, mentions: 0, time: last.time,
        preview: { id: last.id, from: last.from, text: last.text }, notify: 'all', until: 0, pinned: false, archived: false,
        otherRead: last.seq - 1, draft: '', outgoing: 0, member: id.startsWith('#'), ...more,
      })
    }
    row('#fishing', 'Weekend fishing', { pinned: true, unread: 2, mentions: 1, read: many + 6 })
    row('lin+mia', 'Mia Larsen', { unread: 1, read: 0 })
    row('lin+zhang', '老张', { draft: 'I take the train on Friday, about' })
    row('#family', 'Family', { notify: 'none', unread: 48 })
  }

  subscribe(listener: (changes: Change[]) => void): () => void {
    this.listeners.add(listener)
    listener([
      { kind: 'link', link: { state: 'online', caughtUp: 3, durable: true } },
      { kind: 'names', names: { mia: 'Mia Larsen', zhang: '老张', chen: '陈立', lin: '林小鱼', mum: '妈妈' } },
      { kind: 'conversations', rows: [...this.rows.values()] },
      { kind: 'presence', rows: [{ account: 'mia', online: true, since: NOW }, { account: 'zhang', online: false, since: NOW - 7_200_000 }] },
      { kind: 'typing', conversation: '#fishing', account: 'mia', at: NOW },
    ])
    return () => this.listeners.delete(listener)
  }

  private tell(...changes: Change[]): void {
    for (const listener of this.listeners) listener(changes)
  }

  async page(conversation: ConversationId, where: Where, limit: number): Promise<Page> {
    const all = this.messages.get(conversation) ?? []
    const seqOf = (id: MessageId | number) => (typeof id === 'number' ? id : Number(id.slice(id.lastIndexOf('-') + 1)))
    let from = all.length - limit
    if ('before' in where) from = seqOf(where.before) - 1 - limit
    if ('after' in where) from = seqOf(where.after)
    if ('around' in where) from = seqOf(where.around) - Math.floor(limit / 2)
    const to = 'before' in where ? seqOf(where.before) - 1 : Math.max(0, from) + limit
    const messages = all.slice(Math.max(0, from), Math.max(0, to))
    return { messages, first: from <= 0, last: to >= all.length }
  }

  async message(id: MessageId): Promise<Message | null> {
    return this.messages.get(id.slice(0, id.lastIndexOf(':')))?.find((one) => one.id === id) ?? null
  }

  async outgoing(): Promise<Outgoing[]> {
    return []
  }

  async send(conversation: ConversationId, text: string, options: { reply?: MessageId; mention?: string[] } = {}): Promise<void> {
    const waiting: Outgoing = { key: `${Math.random()}`, order: Date.now(), conversation, kind: 'message', text, of: options.reply, time: Date.now() }
    this.tell({ kind: 'outgoing', conversation, rows: [waiting] })
    setTimeout(() => {
      const all = this.messages.get(conversation) ?? []
      const seq = all.length + 1
      const stored: Message = { id: `${conversation}:471893-${seq}`, conversation, epoch: 471893, seq, from: this.account, time: Date.now(), text, reply: options.reply }
      all.push(stored)
      this.tell({ kind: 'outgoing', conversation, rows: [] }, { kind: 'messages', conversation, rows: [stored], pushed: true })
    }, 500)
  }

  private async change(id: MessageId, change: Partial<Message>): Promise<void> {
    const one = await this.message(id)
    if (one) this.tell({ kind: 'messages', conversation: one.conversation, rows: [Object.assign(one, change)], pushed: false })
  }

  async edit(id: MessageId, text: string): Promise<void> {
    await this.change(id, { text, edited: id })
  }

  async recall(id: MessageId): Promise<void> {
    await this.change(id, { text: '', recalled: { by: this.account, reason: '' } })
  }

  async react(id: MessageId, reaction: string, on: boolean): Promise<void> {
    const one = await this.message(id)
    const count = (one?.reactions?.[reaction] ?? 0) + (on ? 1 : -1)
    const mine = (one?.mine ?? []).filter((each) => each !== reaction)
    await this.change(id, { reactions: { ...one?.reactions, [reaction]: count }, mine: on ? [...mine, reaction] : mine })
  }

  async pin(id: MessageId, on: boolean): Promise<void> {
    await this.change(id, { pinned: on })
  }

  async draft(conversation: ConversationId, text: string): Promise<void> {
    const row = this.rows.get(conversation)
    if (row) this.tell({ kind: 'conversations', rows: [{ ...row, draft: text }] })
  }

  async ask<T>(request: string, ...args: unknown[]): Promise<T> {
    console.info('asked', request, args)
    const answers: Record<string, unknown> = {
      members: [
        { account: 'zhang', role: 'owner', read: 9, name: '老张', muted: 0 },
        { account: 'lin', role: 'admin', read: 9, name: '林小鱼', muted: 0 },
        { account: 'mia', role: 'member', read: 9, name: 'Mia Larsen', muted: 0 },
        { account: 'chen', role: 'member', read: 9, name: '陈立', muted: 0 },
      ],
      describe: { name: 'Weekend fishing', about: 'Yunqi lake, whatever the weather', write: 'all', kind: 'open', role: 'admin', members: '4', announcement: 'Small fish go back. Park at the east gate; the pier opens at six.' },
      pins: [], banned: [], directory: [], search: [], links: [], joinRequests: [], contacts: [], contactRequests: [], devices: [], blocked: [], topics: [],
    }
    return answers[request] as T
  }

  async retry(): Promise<void> {}
  async discard(): Promise<void> {}
  async read(): Promise<void> {}
  async open(): Promise<void> {}
  async close(): Promise<void> {}
  typing(): void {}
  watch(): void {}
  connectNow(): void {}
  async logOut(): Promise<void> {}
  stop(): void {}
}
