import type { IEngine } from '../model/engine.ts'
import type { Change, ConversationId, Failure, Message, MessageId, Outgoing, Page, Where } from '../model/types.ts'

/** What tabs say to each other. A call is answered by whoever leads; everybody hears the changes. */
type Word =
  | { kind: 'call'; from: string; number: number; name: CallName; args: unknown[] }
  | { kind: 'answer'; to: string; number: number; value?: unknown; failure?: Failure }
  | { kind: 'changes'; to?: string; changes: Change[] }
  | { kind: 'hello'; from: string }
  | { kind: 'leads' }

type CallName = 'page' | 'message' | 'outgoing' | 'send' | 'edit' | 'recall' | 'react' | 'pin' | 'retry' | 'discard' | 'read' | 'draft' | 'open' | 'close' | 'typing' | 'watch' | 'ask' | 'connectNow' | 'logOut'

/** Milliseconds after which a leader that does not answer counts as frozen. */
export const SILENCE = 3000
/** Calls that change something and may be under way for long: they are not taken for silence. */
const SLOW = new Set<CallName>(['ask', 'page', 'message'])

/** Return the channel on which the tabs of an account speak. */
export function channelOf(account: string): BroadcastChannel {
  return new BroadcastChannel(`fishchat:${account}`)
}

/** Let the other tabs use the engine of this one. Returns what ends it. */
export function serve(engine: IEngine, channel: BroadcastChannel): () => void {
  const say = (word: Word) => channel.postMessage(word)
  const open = new Map<string, Set<ConversationId>>()
  const call = async ({ from, number, name, args }: Extract<Word, { kind: 'call' }>) => {
    try {
      if (name === 'open' || name === 'close') hold(open, from, name, String(args[0]))
      const value = await (engine[name] as (...args: unknown[]) => unknown)(...args)
      say({ kind: 'answer', to: from, number, value })
    } catch (error) {
      say({ kind: 'answer', to: from, number, failure: failureOf(error) })
    }
  }
  const hear = ({ data }: MessageEvent<Word>) => {
    if (data.kind === 'call') void call(data)
    else if (data.kind === 'hello') engine.subscribe((changes) => say({ kind: 'changes', to: data.from, changes }))()
  }
  channel.addEventListener('message', hear)
  let first = true
  const end = engine.subscribe((changes) => {
    if (first) first = false
    else say({ kind: 'changes', changes })
  })
  say({ kind: 'leads' })
  return () => {
    end()
    channel.removeEventListener('message', hear)
  }
}

function hold(open: Map<string, Set<ConversationId>>, tab: string, name: 'open' | 'close', id: ConversationId): void {
  const here = open.get(tab) ?? new Set()
  here[name === 'open' ? 'add' : 'delete'](id)
  open.set(tab, here)
}

/** The engine of a tab that follows: everything goes to the tab that leads. */
export class Remote implements IEngine {
  readonly account: string
  readonly device: string
  private readonly channel: BroadcastChannel
  private readonly name = `${Date.now()}-${Math.random()}`
  private readonly listeners = new Set<(changes: Change[]) => void>()
  private readonly waiting = new Map<number, { word: Word; name: CallName; resolve(value: unknown): void; reject(failure: Failure): void }>()
  private readonly silent: () => void
  private numbers = 0

  /** `silent` is called when the leading tab does not answer. */
  constructor(account: string, device: string, channel: BroadcastChannel, silent: () => void) {
    this.account = account
    this.device = device
    this.channel = channel
    this.silent = silent
    channel.addEventListener('message', this.hear)
  }

  private readonly hear = ({ data }: MessageEvent<Word>) => {
    if (data.kind === 'changes' && (data.to === undefined || data.to === this.name)) {
      for (const listener of this.listeners) listener(data.changes)
    } else if (data.kind === 'answer' && data.to === this.name) {
      const waiting = this.waiting.get(data.number)
      this.waiting.delete(data.number)
      if (data.failure) waiting?.reject(data.failure)
      else waiting?.resolve(data.value)
    } else if (data.kind === 'leads') {
      // Another tab has taken over: it is asked again, and sends are kept under the same name.
      this.hello()
      for (const { word } of this.waiting.values()) this.channel.postMessage(word)
    }
  }

  private hello(): void {
    this.channel.postMessage({ kind: 'hello', from: this.name } satisfies Word)
  }

  private call<T>(name: CallName, ...args: unknown[]): Promise<T> {
    const number = ++this.numbers
    const word: Word = { kind: 'call', from: this.name, number, name, args }
    const answer = new Promise<T>((resolve, reject) => {
      this.waiting.set(number, { word, name, resolve: resolve as (value: unknown) => void, reject })
    })
    this.channel.postMessage(word)
    if (!SLOW.has(name)) setTimeout(() => this.waiting.has(number) && this.silent(), SILENCE)
    return answer
  }

  /** Ask whether the leading tab is awake. */
  probe(): void {
    void this.call('outgoing', '#').catch(() => {})
  }

  /** Hand what was not answered to the engine that this tab has become. */
  handOver(engine: IEngine): void {
    this.stop()
    for (const { word, resolve, reject } of this.waiting.values()) {
      if (word.kind !== 'call') continue
      const call = engine[word.name] as (...args: unknown[]) => unknown
      Promise.resolve(call.apply(engine, word.args)).then(resolve, reject)
    }
    this.waiting.clear()
  }

  subscribe(listener: (changes: Change[]) => void): () => void {
    this.listeners.add(listener)
    this.hello()
    return () => this.listeners.delete(listener)
  }

  page(conversation: ConversationId, where: Where, limit: number): Promise<Page> {
    return this.call('page', conversation, where, limit)
  }
  message(id: MessageId): Promise<Message | null> {
    return this.call('message', id)
  }
  outgoing(conversation: ConversationId): Promise<Outgoing[]> {
    return this.call('outgoing', conversation)
  }
  send(conversation: ConversationId, text: string, options?: { reply?: MessageId; mention?: string[]; key?: string }): Promise<void> {
    return this.call('send', conversation, text, { ...options, key: `${this.name}-${this.numbers}` })
  }
  edit(id: MessageId, text: string, was?: MessageId): Promise<void> {
    return this.call('edit', id, text, was)
  }
  recall(id: MessageId, reason?: string): Promise<void> {
    return this.call('recall', id, reason)
  }
  react(id: MessageId, reaction: string, on: boolean): Promise<void> {
    return this.call('react', id, reaction, on)
  }
  pin(id: MessageId, on: boolean): Promise<void> {
    return this.call('pin', id, on)
  }
  retry(key: string): Promise<void> {
    return this.call('retry', key)
  }
  discard(key: string): Promise<void> {
    return this.call('discard', key)
  }
  read(id: MessageId): Promise<void> {
    return this.call('read', id)
  }
  draft(conversation: ConversationId, text: string): Promise<void> {
    return this.call('draft', conversation, text)
  }
  open(conversation: ConversationId): Promise<void> {
    return this.call('open', conversation)
  }
  close(conversation: ConversationId): Promise<void> {
    return this.call('close', conversation)
  }
  typing(conversation: ConversationId): void {
    void this.call('typing', conversation)
  }
  watch(accounts: string[]): void {
    void this.call('watch', accounts)
  }
  ask<T>(request: string, ...args: unknown[]): Promise<T> {
    return this.call('ask', request, ...args)
  }
  connectNow(): void {
    void this.call('connectNow')
  }
  logOut(): Promise<void> {
    return this.call('logOut')
  }
  stop(): void {
    this.channel.removeEventListener('message', this.hear)
  }
}

/** Return what a page can show of an error. */
export function failureOf(error: unknown): Failure {
  const { word, text, until } = (error ?? {}) as Partial<Failure>
  return word ? { word, text: text ?? '', ...(until ? { until } : {}) } : { word: 'INTERNAL', text: String(error) }
}
