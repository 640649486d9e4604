import type { ClientState } from '../protocol/state.ts'
import type { Conversation, ConversationId, Message, Outgoing } from '../model/types.ts'
import type { Span } from './spans.ts'

/** A conversation with what the browser knows of its numbers. */
export interface Kept {
  id: ConversationId
  row: Conversation
  /** The numbers whose messages are in the store, or which hold none for this account. */
  spans: Span[]
  /** The highest number that was pushed or passed over, and the epoch of the newest message. */
  top: number
  epoch: number
}

/** All that is loaded at the start: everything but the messages. */
export interface Saved {
  state: ClientState | null
  kept: Kept[]
  outgoing: Outgoing[]
  names: Record<string, string>
}

/** One transaction. */
export interface Writes {
  state?: ClientState
  kept: Kept[]
  messages: Message[]
  /** Conversation and number from which on all messages are removed, before the new ones are put in. */
  removed: [ConversationId, number][]
  outgoing: Outgoing[]
  settled: string[]
  names?: Record<string, string>
}

/** Where one account's messages are kept. Numbers are those of the messages, ends included; results are oldest first. */
export interface IStore {
  /** Whether it outlives a reload of the page. */
  readonly durable: boolean
  load(): Promise<Saved>
  /** Write everything, or nothing. Fulfilled when it is on disk. */
  commit(writes: Writes): Promise<void>
  get(conversation: ConversationId, seq: number): Promise<Message | null>
  /** Return up to `limit` messages between two numbers: the newest of them if `back`, else the oldest. */
  range(conversation: ConversationId, first: number, last: number, limit: number, back: boolean): Promise<Message[]>
  /** Return up to `limit` messages whose text or sender holds this text in any case, newest first by time; of one conversation or all. */
  search(text: string, limit: number, conversation?: ConversationId): Promise<Message[]>
  /** Remove everything of this account. */
  erase(): Promise<void>
  close(): void
}

/** Whether a message has this text in it; `wanted` is in lower case. */
export function holds(message: Message, wanted: string): boolean {
  return !message.notice && message.text.toLowerCase().includes(wanted)
}
