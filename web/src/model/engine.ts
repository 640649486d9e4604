import type { Change, ConversationId, Message, MessageId, Outgoing, Page, Where } from './types.ts'

/**
 * The seam between the pages and what talks to the server and keeps the messages.
 *
 * One tab of a browser leads and holds the connection; in the others the engine passes the calls on to it. The pages
 * cannot tell which one they have. A promise fails with a `Failure`.
 */
export interface IEngine {
  readonly account: string
  readonly device: string

  /** Be told of every change; the first call brings the whole state. Returns what ends it. */
  subscribe(listener: (changes: Change[]) => void): () => void

  /** Return messages of a conversation, from the browser's store where it holds them, else from the server. */
  page(conversation: ConversationId, where: Where, limit: number): Promise<Page>
  /** Return one message; null if it is not there, or not visible. */
  message(id: MessageId): Promise<Message | null>
  /** Return what waits or failed in a conversation. */
  outgoing(conversation: ConversationId): Promise<Outgoing[]>

  /** Keep a message to be sent. Fulfilled when it is kept, not when it is stored by the server. */
  send(conversation: ConversationId, text: string, options?: { reply?: MessageId; mention?: string[] }): Promise<void>
  edit(id: MessageId, text: string, was?: MessageId): Promise<void>
  recall(id: MessageId, reason?: string): Promise<void>
  react(id: MessageId, reaction: string, on: boolean): Promise<void>
  pin(id: MessageId, on: boolean): Promise<void>
  /** Try something that failed once more; drop it. */
  retry(key: string): Promise<void>
  discard(key: string): Promise<void>

  /** Mark everything up to this message as read. */
  read(id: MessageId): Promise<void>
  /** Keep the text that was begun. */
  draft(conversation: ConversationId, text: string): Promise<void>
  /** Say that this conversation is on the screen (presence, typing, reaction sums arrive), or no more. */
  open(conversation: ConversationId): Promise<void>
  close(conversation: ConversationId): Promise<void>
  /** Say that somebody writes here; the engine bounds how often it is sent. */
  typing(conversation: ConversationId): void
  /** Be told of these accounts' presence as long as the page is there. */
  watch(accounts: string[]): void

  /** Carry out a request of `protocol/requests.ts` by its name and return its result. */
  ask<T = unknown>(request: string, ...args: unknown[]): Promise<T>

  /** Connect now instead of waiting for the next attempt. */
  connectNow(): void
  /** Revoke this device and forget everything that the browser holds of the account. */
  logOut(): Promise<void>
  /** End without forgetting: the tab closes. */
  stop(): void
}
