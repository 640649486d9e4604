import type { IEngine } from '../model/engine.ts'
import { conversationWith, otherOf } from '../model/model.ts'
import type { Change, ConversationId, Failure, Link as LinkState, Message, MessageId, Outgoing, Page, Where } from '../model/types.ts'
import type { Event } from '../protocol/events.ts'
import type { Machine } from '../protocol/machine.ts'
import type * as all from '../protocol/requests.ts'
import * as messages from '../protocol/requests/messages.ts'
import { names, ping, revokeDevice, watch } from '../protocol/requests/people.ts'
import type { Refused, Request } from '../protocol/request.ts'
import { Book, placeOf } from './book.ts'
import { Dialler } from './dialler.ts'
import { prove } from '../protocol/scram.ts'
import { fold, type Operation, operate, setting, stored, type Wanted } from './fold.ts'
import { listed } from './listed.ts'
import { messageOf, Pages } from './pages.ts'
import type { IStore } from './store.ts'

/** Milliseconds between two SEND_TYPING, and in which an answer to a ping must come after the page woke up. */
const TYPING_EVERY = 3000
const ANSWER = 3000
/** A timer that is this late, in ms, says that the machine slept. */
const SLEPT = 5000
/** The most accounts whose presence the server tells one connection. */
const WATCHED = 200
/** After these requests the list of conversations may be another. */
const CHANGES_LIST = new Set(['createTopic', 'join', 'leave', 'joinLink', 'dismiss', 'acceptContact', 'addContact', 'setName'])

interface Promised {
  resolve(value: unknown): void
  reject(failure: Failure): void
}

/** What an engine is made of. */
export interface EngineParts {
  account: string
  device: string
  machine: Machine
  store: IStore
  dialler: Dialler
  now?: () => number
}

/**
 * The engine of the tab that leads: it owns the machine, the store and the connection.
 *
 * What happens is worked off in turns: lines go into the machine, its events into the book, and one transaction saves
 * both. Only then are lines written and the pages told. So nothing is sent or acknowledged that a crash could undo.
 */
export class Engine implements IEngine {
  readonly account: string
  readonly device: string
  private readonly machine: Machine
  private readonly store: IStore
  private readonly dialler: Dialler
  private readonly book: Book
  private readonly pages: Pages
  private readonly listeners = new Set<(changes: Change[]) => void>()
  private readonly asked = new Map<number, Promised>()
  /** Key of the machine → key of what waits. */
  private readonly flying = new Map<number, string>()
  private readonly incoming: string[] = []
  /** Grows with each loss: what was to be sent on a lost connection, the next one does not know. */
  private connection = 0
  private readonly opened = new Set<ConversationId>()
  private readonly watched = new Set<string>()
  private readonly sent = new Set<string>()
  private typedAt = 0
  private order = 0
  private turning: Promise<void> | null = null
  private again = false
  private refreshing = false
  private refreshAgain = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private heart: ReturnType<typeof setInterval> | undefined
  private beat = Date.now()
  private link: LinkState
  private caught = 0
  private stopped = false

  private constructor(parts: EngineParts) {
    this.account = parts.account
    this.device = parts.device
    this.machine = parts.machine
    this.store = parts.store
    this.dialler = parts.dialler
    this.book = new Book(parts.account, parts.store)
    this.link = { state: 'connecting', caughtUp: 0, durable: parts.store.durable }
    const read = (id: ConversationId, where: { before?: MessageId; after?: MessageId }, limit: number) =>
      this.request(messages.history(id, where.before, where.after, limit))
    this.pages = new Pages(this.book, parts.store, read, () => this.turn())
  }

  /** Load what was saved and begin to connect. */
  static async start(parts: EngineParts): Promise<Engine> {
    const engine = new Engine(parts)
    const saved = await parts.store.load()
    engine.book.restore(saved)
    engine.pair(saved.outgoing)
    engine.listenToPage()
    parts.dialler.start({
      opened: () => engine.connected(),
      received: (line) => engine.received(line),
      lost: (nextTry) => engine.lost(nextTry),
    })
    return engine
  }

  /** The machine has restored its unanswered sends with the keys 1, 2, 3, …, in the order in which they were saved. */
  private pair(saved: Outgoing[]): void {
    const waiting = saved.filter((row) => !row.error)
    const { length } = this.machine.snapshot().sends
    for (const [index, row] of waiting.entries()) {
      if (index < length) this.flying.set(index + 1, row.key)
      // An earlier login of this browser, as another device, began to send it: it may be stored.
      else this.book.write({ ...row, error: { word: 'UNKNOWN', text: 'it may have been sent by an earlier login' } })
    }
    this.order = Math.max(0, ...saved.map((row) => row.order))
  }

  // What the pages call.

  subscribe(listener: (changes: Change[]) => void): () => void {
    this.listeners.add(listener)
    listener([{ kind: 'link', link: this.link }, ...this.book.whole()])
    return () => this.listeners.delete(listener)
  }

  page(conversation: ConversationId, where: Where, limit: number): Promise<Page> {
    return this.pages.page(conversation, where, limit)
  }

  async message(id: MessageId): Promise<Message | null> {
    const held = await this.book.find(id)
    if (held) return held
    try {
      return messageOf(await this.request(messages.message(id)))
    } catch (failure) {
      if ((failure as Failure).word === 'NOTFOUND' || (failure as Failure).word === 'GONE') return null
      throw failure
    }
  }

  async outgoing(conversation: ConversationId): Promise<Outgoing[]> {
    return this.book.outgoingOf(conversation)
  }

  async send(conversation: ConversationId, text: string, options: { reply?: MessageId; mention?: string[]; key?: string } = {}): Promise<void> {
    // Another tab repeats a send whose answer it did not hear.
    if (options.key && this.sent.has(options.key)) return
    if (options.key) this.sent.add(options.key)
    await this.dispatch({ conversation, kind: 'message', text, of: options.reply, mention: options.mention }, options.key)
  }

  async edit(id: MessageId, text: string, was?: MessageId): Promise<void> {
    await this.dispatch({ conversation: placeOf(id).conversation, kind: 'edit', text, of: id, was })
  }

  async recall(id: MessageId, reason = ''): Promise<void> {
    await this.dispatch({ conversation: placeOf(id).conversation, kind: 'recall', text: reason, of: id })
  }

  async react(id: MessageId, reaction: string, on: boolean): Promise<void> {
    await this.dispatch({ conversation: placeOf(id).conversation, kind: on ? 'react' : 'unreact', text: reaction, of: id })
  }

  async pin(id: MessageId, on: boolean): Promise<void> {
    await this.dispatch({ conversation: placeOf(id).conversation, kind: on ? 'pin' : 'unpin', text: '', of: id })
  }

  async retry(key: string): Promise<void> {
    const row = this.book.outgoing.get(key)
    if (!row?.error) return
    const { error: _, ...again } = row
    // After a reload, the order of the rows pairs them with the sends of the machine.
    this.launch({ ...again, order: this.nextOrder(), time: Date.now() })
    await this.turn()
  }

  async discard(key: string): Promise<void> {
    const row = this.book.outgoing.get(key)
    if (!row?.error) return
    this.book.settle(key)
    await this.turn()
  }

  async read(id: MessageId): Promise<void> {
    const { conversation, seq } = placeOf(id)
    const { row } = this.book.of(conversation)
    if (seq <= row.read) return
    const unread = await this.unreadAfter(conversation, seq)
    this.book.change(conversation, { read: seq, ...unread })
    await this.request(messages.markRead(id))
  }

  async draft(conversation: ConversationId, text: string): Promise<void> {
    if (this.book.of(conversation).row.draft === text) return
    this.book.change(conversation, { draft: text })
    await this.turn()
  }

  async open(conversation: ConversationId): Promise<void> {
    this.opened.add(conversation)
    const other = otherOf(this.account, conversation)
    if (other !== null && other !== this.account) this.watch([other])
    if (this.link.state === 'online' || this.link.state === 'syncing') await this.quietly(messages.watchConversation(conversation))
  }

  async close(conversation: ConversationId): Promise<void> {
    if (!this.opened.delete(conversation)) return
    if (this.link.state === 'online') await this.quietly(messages.unwatchConversation(conversation))
  }

  typing(conversation: ConversationId): void {
    if (this.link.state !== 'online' || Date.now() - this.typedAt < TYPING_EVERY) return
    this.typedAt = Date.now()
    void this.quietly(messages.typing(conversation))
  }

  watch(accounts: string[]): void {
    for (const account of accounts) {
      if (this.watched.has(account) || this.watched.size >= WATCHED) continue
      this.watched.add(account)
      if (this.link.state === 'online') void this.quietly(watch(account))
    }
  }

  async ask<T = unknown>(name: string, ...args: unknown[]): Promise<T> {
    if (name === 'search') return (await this.store.search(String(args[0]), 200, args[1] as string | undefined)) as T
    if (name === 'setConversation') return (await this.set(args as [string, string, string])) as T
    // Most requests are those of dialogs: they are loaded with the first of them.
    const requests: typeof all = await import('../protocol/requests.ts')
    const make = (requests as unknown as Record<string, ((...args: unknown[]) => Request<T>) | undefined>)[name]
    if (!make) throw { word: 'UNKNOWN_VERB', text: `there is no request ${name}` } satisfies Failure
    const value = await this.request(make(...args))
    if (CHANGES_LIST.has(name)) void this.refresh()
    return value
  }

  private async set(args: [conversation: string, key: string, value: string]): Promise<void> {
    await this.request(messages.setConversation(...args))
    setting(this.book, args.join(' '))
    await this.turn()
  }

  connectNow(): void {
    this.dialler.now()
  }

  async logOut(): Promise<void> {
    await Promise.race([this.quietly(revokeDevice(this.device)), delay(ANSWER)])
    this.stop()
    await this.store.erase()
    this.end('logged out')
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    clearInterval(this.heart)
    this.dialler.stop()
    this.store.close()
  }

  // Sends.

  private async dispatch(what: Pick<Outgoing, 'conversation' | 'kind' | 'text' | 'of' | 'mention' | 'was'>, key?: string): Promise<void> {
    const order = this.nextOrder()
    this.launch({ ...what, key: key ?? `${this.device}-${order}`, order, time: Date.now() })
    await this.turn()
  }

  private nextOrder(): number {
    this.order = Math.max(this.order + 1, Date.now())
    return this.order
  }

  private launch(row: Outgoing): void {
    const key = this.hand(row)
    this.flying.set(key, row.key)
    this.book.write(row)
  }

  /** Hand something to the machine; a text that no server could accept fails here, and nothing is kept. */
  private hand(row: Outgoing): number {
    const of = row.of ?? ''
    switch (row.kind) {
      case 'message': {
        const other = otherOf(this.account, row.conversation)
        return this.machine.send(other ?? row.conversation, row.text, row.of, row.mention)
      }
      case 'edit':
        return this.machine.operate(messages.edit(of, row.text, row.was))
      case 'recall':
        return this.machine.operate(messages.recall(of, row.text))
      case 'react':
        return this.machine.operate(messages.react(of, row.text))
      case 'unreact':
        return this.machine.operate(messages.unreact(of, row.text))
      case 'pin':
        return this.machine.operate(messages.pin(of))
      case 'unpin':
        return this.machine.operate(messages.unpin(of))
    }
  }

  private async settled(event: Extract<Event, { type: 'settled' }>, wanted: Wanted): Promise<void> {
    const promised = this.asked.get(event.key)
    if (promised) {
      this.asked.delete(event.key)
      if (event.error) promised.reject(event.error)
      else promised.resolve(event.value)
      return
    }
    const key = this.flying.get(event.key)
    const row = key === undefined ? undefined : this.book.outgoing.get(key)
    this.flying.delete(event.key)
    if (!row) return
    if (event.error) {
      this.book.write({ ...row, error: event.error })
      return
    }
    this.book.settle(row.key)
    // Some numbers were stored long ago, and the server does not know their ids any more.
    if (typeof event.value !== 'string' || !event.value) return
    await this.confirmed(row, event.value, event.time || row.time, wanted)
  }

  private async confirmed(row: Outgoing, id: MessageId, time: number, wanted: Wanted): Promise<void> {
    const of = row.of ?? ''
    const head = { from: this.account, id, of, conversation: row.conversation }
    if (row.kind === 'message') {
      const message: Message = { id, ...placeOf(id), from: this.account, time, text: row.text }
      if (row.of) message.reply = row.of
      if (row.mention?.length) message.mention = row.mention
      stored(this.book, message)
      return
    }
    const event = operationOf(row, head)
    await operate(this.book, event, Date.now(), (each) => this.pages.whenRead(each), wanted)
  }

  // Requests.

  private request<T>(request: Request<T>): Promise<T> {
    if (this.stopped || this.link.state === 'ended') {
      return Promise.reject({ word: 'OFFLINE', text: 'you are logged out' } satisfies Failure)
    }
    if (this.link.state !== 'online' && this.link.state !== 'syncing') {
      return Promise.reject({ word: 'OFFLINE', text: 'there is no connection' } satisfies Failure)
    }
    return new Promise<T>((resolve, reject) => {
      this.asked.set(this.machine.ask(request), { resolve: resolve as (value: unknown) => void, reject })
      void this.turn()
    })
  }

  /** Carry out a request whose refusal nobody needs to see. */
  private async quietly(request: Request<unknown>): Promise<void> {
    await this.request(request).catch(() => {})
  }

  private async unreadAfter(conversation: ConversationId, seq: number) {
    const { row } = this.book.of(conversation)
    if (seq >= row.last) return { unread: 0, mentions: 0 }
    const counted = (rows: Message[]) => rows.filter((one) => !one.notice && one.from !== this.account)
    const read = counted(await this.store.range(conversation, row.read + 1, seq, 1000, false)).length
    return { unread: Math.max(0, row.unread - read) }
  }

  // The connection.

  private connected(): void {
    this.machine.connected(now())
    void this.turn()
  }

  private received(line: string): void {
    this.incoming.push(line)
    void this.turn()
  }

  private lost(nextTry: number): void {
    this.incoming.length = 0
    this.connection += 1
    this.machine.lost()
    for (const { reject } of this.asked.values()) reject({ word: 'OFFLINE', text: 'the connection was lost' })
    this.asked.clear()
    if (this.link.state !== 'ended') this.show({ state: 'offline', nextTry })
    void this.turn()
  }

  private show(change: Partial<LinkState>): void {
    const { nextTry: _, ...link } = this.link
    this.link = { ...link, ...change }
    this.book.tell({ kind: 'link', link: this.link })
  }

  private end(why: string, error?: Failure): void {
    this.link = { ...this.link, state: 'ended', why, error }
    this.publish([{ kind: 'link', link: this.link }])
    this.dialler.stop()
  }

  // Turns.

  /** Work off what has gathered; fulfilled when all that was there at the call is saved. */
  private turn(): Promise<void> {
    if (this.turning) {
      this.again = true
      return this.turning.then(() => this.turning ?? undefined)
    }
    this.turning = this.work().finally(() => {
      this.turning = null
      if (this.again) {
        this.again = false
        void this.turn()
      }
    })
    return this.turning
  }

  private async work(): Promise<void> {
    // Calls of the same moment share one transaction.
    await Promise.resolve()
    if (this.stopped) return
    const at = now()
    const { machine } = this
    for (const line of this.incoming.splice(0)) machine.received(line, at)
    machine.tick(at)
    const events = machine.events()
    const lines = machine.lines(at)
    const { connection } = this
    const wanted: Wanted = { messages: new Set(), names: new Set(), list: false }
    for (const event of events) await this.take(event, wanted)
    // Something may have been written meanwhile: its row and its send are saved together.
    const state = machine.changed ? machine.snapshot() : undefined
    machine.saved()
    const { writes, changes, empty } = this.book.take()
    if (state || !empty) {
      try {
        await this.store.commit({ ...writes, state })
      } catch (error) {
        this.broken(error)
        return
      }
    }
    if (connection === this.connection) this.dialler.send(lines)
    this.publish(changes)
    this.later(wanted)
    clearTimeout(this.timer)
    const deadline = machine.deadline(at)
    if (deadline !== null) this.timer = setTimeout(() => void this.turn(), Math.max(0, (deadline - now()) * 1000))
  }

  /** What was not saved must not be sent or acknowledged: the engine ends, and says why. */
  private broken(error: unknown): void {
    this.dialler.stop()
    this.end('storage', { word: 'STORAGE', text: String(error) })
    this.stopped = true
  }

  private async take(event: Event, wanted: Wanted): Promise<void> {
    switch (event.type) {
      case 'settled':
        await this.settled(event, wanted)
        break
      case 'online':
        this.dialler.steady()
        this.caught = 0
        this.show({ state: 'syncing' })
        break
      case 'synced':
        this.show({ state: 'online', caughtUp: this.caught })
        this.resume()
        break
      case 'prove':
        void prove(event.account, event.password, event.nonce, event.challenge)
          .then((proof) => this.machine.proved(event.nonce, proof, now()))
          .catch((error: unknown) => this.machine.unproved(event.nonce, refusalOf(error), now()))
          .then(() => this.turn())
        break
      case 'moved':
        this.dialler.move(event.address ?? undefined)
        break
      case 'broken':
        this.dialler.redial()
        break
      case 'ended':
        this.link = { ...this.link, state: 'ended', why: event.detail || event.reason, error: event.error ?? undefined }
        this.book.tell({ kind: 'link', link: this.link })
        this.dialler.stop()
        break
      default:
        if (event.type === 'message' && this.link.state === 'syncing') this.caught += 1
        await fold(this.book, event, Date.now(), (id) => this.pages.whenRead(id), wanted)
    }
  }

  private publish(changes: Change[]): void {
    if (changes.length) for (const listener of this.listeners) listener(changes)
  }

  /** After a login: what the server forgot with the old connection, and what no push tells. */
  private resume(): void {
    for (const conversation of this.opened) void this.quietly(messages.watchConversation(conversation))
    for (const account of this.watched) void this.quietly(watch(account))
    void this.refresh()
  }

  /** Read the list of conversations anew; what is asked for meanwhile is one more reading afterwards. */
  private async refresh(): Promise<void> {
    if (this.refreshing) {
      this.refreshAgain = true
      return
    }
    this.refreshing = true
    await this.readList()
    this.refreshing = false
    if (!this.refreshAgain) return
    this.refreshAgain = false
    await this.refresh()
  }

  private async readList(): Promise<void> {
    const accounts = await listed(this.book, (request) => this.request(request)).catch(() => null)
    if (accounts === null) return
    await this.turn()
    await this.learn(accounts)
  }

  private later(wanted: Wanted): void {
    if (this.link.state !== 'online') return
    if (wanted.list) void this.refresh()
    if (wanted.names.size) void this.learn([...wanted.names])
    for (const id of wanted.messages) {
      void this.request(messages.message(id))
        .then((item) => this.pages.keep(item))
        .then(() => this.turn())
        .catch(() => {})
    }
  }

  private async learn(accounts: string[]): Promise<void> {
    const unknown = [...new Set(accounts)].filter((account) => this.book.nameOf(account) === undefined)
    for (let at = 0; at < unknown.length; at += 50) {
      const some = unknown.slice(at, at + 50)
      const found = await this.request(names(some)).catch(() => null)
      if (found) this.book.learn({ ...Object.fromEntries(some.map((account) => [account, ''])), ...found })
    }
    if (unknown.length) await this.turn()
  }

  // Waking up.

  private listenToPage(): void {
    const wake = () => this.wake()
    if (typeof document !== 'undefined') {
      document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && wake())
      addEventListener('online', () => this.dialler.now())
      addEventListener('pageshow', wake)
    }
    this.heart = setInterval(() => {
      const late = Date.now() - this.beat
      this.beat = Date.now()
      if (late > SLEPT) wake()
    }, 1000)
  }

  /** A socket that slept may be dead and say that it is open: ask the server, and take another one if it is silent. */
  private wake(): void {
    if (this.stopped || this.link.state === 'ended') return
    if (this.link.state !== 'online') {
      this.dialler.now()
      return
    }
    const answer = this.request(ping()).then(() => true, () => true)
    void Promise.race([answer, delay(ANSWER).then(() => false)]).then((isAlive) => {
      if (!isAlive && !this.stopped) this.dialler.redial()
    })
  }
}

function operationOf(row: Outgoing, head: { from: string; id: string; of: string; conversation: string }): Operation {
  switch (row.kind) {
    case 'edit':
      return { type: 'edited', ...head, text: row.text, mention: row.mention ?? [] }
    case 'recall':
      return { type: 'recalled', ...head, reason: row.text }
    case 'react':
    case 'unreact':
      return { type: 'reacted', ...head, reaction: row.text, added: row.kind === 'react' }
    default:
      return { type: 'pinned', ...head, added: row.kind === 'pin' }
  }
}

function refusalOf(error: unknown): Refused {
  const { word, text } = (error ?? {}) as Partial<Refused>
  return word ? { word, text: text ?? '', extra: {} } : { word: 'INTERNAL', text: String(error), extra: {} }
}

function now(): number {
  return performance.now() / 1000
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export { conversationWith }
