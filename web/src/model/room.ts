import { type Signal, signal } from '@preact/signals'

import type { Model } from './model.ts'
import type { ConversationId, Failure, Message, MessageId, Outgoing, Where } from './types.ts'

/** Messages that are read at once, and the most that are on the page. */
const PAGE = 50
const MOST = 200

/** The part of a conversation that is on the screen: at most 200 messages around what is looked at. */
export class RoomState {
  readonly id: ConversationId
  readonly rows: Signal<Message[]> = signal([])
  readonly waiting: Signal<Outgoing[]> = signal([])
  /** Whether the slice begins with the first message, and ends with the newest one. */
  readonly first = signal(false)
  readonly last = signal(false)
  readonly loading = signal(true)
  readonly failure: Signal<Failure | null> = signal(null)
  /** The number after which messages are new; the line above them stays until the room is left. 0: none. */
  readonly newFrom = signal(0)
  /** How many messages have arrived below what is on the page or on the screen. */
  readonly below = signal(0)
  /** A message to show and to flash. */
  readonly target: Signal<MessageId | null> = signal(null)
  /** Whether the end is on the screen; the view sets it. */
  atEnd = true
  private readonly model: Model
  private busy = false
  private wantsEnd = false
  private stopped = false

  constructor(model: Model, id: ConversationId) {
    this.model = model
    this.id = id
    model.heard.add(this.hear)
    model.waiting.add(this.wait)
    model.skipped.add(this.skip)
  }

  /** Load the first slice: around a message, or at the first unread one. */
  async open(at?: MessageId): Promise<void> {
    const row = this.model.conversations.value.get(this.id)
    void this.model.engine.open(this.id).catch(() => {})
    void this.model.engine.outgoing(this.id).then((rows) => this.wait(this.id, rows), () => {})
    if (row && row.unread > 0 && row.read < row.last) this.newFrom.value = row.read + 1
    const isFar = this.newFrom.value > 0 && (row?.unread ?? 0) > PAGE
    if (at) await this.jump(at)
    else await this.show(isFar ? { around: this.newFrom.value } : { newest: true })
  }

  /** Stop listening, and say that the conversation is not on the screen any more. */
  stop(): void {
    this.stopped = true
    this.model.heard.delete(this.hear)
    this.model.waiting.delete(this.wait)
    this.model.skipped.delete(this.skip)
    void this.model.engine.close(this.id).catch(() => {})
  }

  /** Show a message with its neighbours, and flash it. */
  async jump(id: MessageId): Promise<void> {
    if (!this.rows.value.some((row) => row.id === id)) await this.show({ around: id })
    this.target.value = id
  }

  /** Show the newest messages. */
  async toEnd(): Promise<void> {
    this.below.value = 0
    if (!this.last.value) await this.show({ newest: true })
  }

  /** Put the page before the slice in front of it. */
  async older(): Promise<void> {
    const [top] = this.rows.value
    if (!top || this.first.value) return
    await this.load({ before: top.id }, (page, rows) => {
      this.first.value = page.first
      const all = merged(page.messages, rows)
      if (all.length > MOST) this.last.value = false
      return all.slice(0, MOST)
    })
  }

  /** Put the page after the slice behind it. */
  async newer(): Promise<void> {
    const end = this.rows.value.at(-1)
    if (!end || this.last.value) return
    await this.load({ after: end.id }, (page, rows) => {
      this.last.value = page.last
      const all = merged(rows, page.messages)
      if (all.length > MOST) this.first.value = false
      return all.slice(-MOST)
    })
  }

  private async show(where: Where): Promise<void> {
    await this.load(where, (page) => {
      this.first.value = page.first
      this.last.value = page.last
      return page.messages
    })
  }

  private async load(where: Where, take: (page: { messages: Message[]; first: boolean; last: boolean }, rows: Message[]) => Message[]) {
    if (this.busy) return
    this.busy = true
    try {
      const page = await this.model.engine.page(this.id, where, PAGE)
      if (this.stopped) return
      this.rows.value = take(page, this.rows.value)
      this.failure.value = null
    } catch (failure) {
      this.failure.value = failure as Failure
    } finally {
      this.busy = false
      this.loading.value = false
    }
    if (this.wantsEnd) {
      // Messages came while a page was read that does not hold them.
      this.wantsEnd = false
      if (this.atEnd || !this.rows.value.length) await this.show({ newest: true })
    }
  }

  /** Try what failed again. */
  retry(): void {
    this.loading.value = !this.rows.value.length
    void (this.rows.value.length ? this.older() : this.show({ newest: true }))
  }

  /** What comes next does not follow the slice: who is at the end goes to the new one, others find it below. */
  private readonly skip = (conversation: ConversationId, first: number) => {
    if (conversation !== this.id || first <= (this.rows.value.at(-1)?.seq ?? 0)) return
    this.last.value = false
    if (!this.atEnd) return
    if (this.busy) this.wantsEnd = true
    else queueMicrotask(() => void this.show({ newest: true }))
  }

  private readonly wait = (conversation: ConversationId, rows: Outgoing[]) => {
    if (conversation === this.id) this.waiting.value = rows
  }

  private readonly hear = (conversation: ConversationId, changed: Message[], pushed: boolean) => {
    if (conversation !== this.id) return
    const { rows } = this
    const known = new Map(rows.value.map((row) => [row.seq, row]))
    const seen = changed.filter(({ seq, id }) => known.get(seq)?.id === id)
    if (seen.length) {
      const now = new Map(seen.map((row) => [row.id, row]))
      rows.value = rows.value.map((row) => now.get(row.id) ?? row)
    }
    const end = rows.value.at(-1)?.seq ?? 0
    const fresh = changed.filter(({ seq }) => !known.has(seq) && seq > end)
    if (!fresh.length) return
    const isMine = fresh.some(({ from }) => from === this.model.account)
    if (!this.last.value) {
      this.beyond(fresh.length, pushed, isMine)
      return
    }
    const all = merged(rows.value, fresh)
    // Who looks at older messages keeps them: the end is loaded again on the way down.
    if (all.length > MOST && !this.atEnd) {
      rows.value = all.slice(0, MOST)
      this.last.value = false
    } else {
      if (all.length > MOST) this.first.value = false
      rows.value = all.slice(-MOST)
    }
    if (!this.atEnd) this.below.value += fresh.filter(({ from }) => from !== this.model.account).length
  }

  /** Take note of messages after the end of the slice. */
  private beyond(count: number, pushed: boolean, isMine: boolean): void {
    if (this.busy || this.loading.value) this.wantsEnd = true
    else if (this.atEnd) void this.newer()
    else if (isMine && !pushed) void this.toEnd()
    else if (pushed) this.below.value += count
  }
}

/** Return the messages of two runs in their order, each once. */
function merged(one: Message[], other: Message[]): Message[] {
  const last = one.at(-1)
  const [first] = other
  if (last && first && last.seq < first.seq) return [...one, ...other]
  const all = new Map([...one, ...other].map((row) => [row.seq, row]))
  return [...all.values()].sort((a, b) => a.seq - b.seq)
}

