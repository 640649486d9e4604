/** What the pages show. All of these are plain values: they travel between tabs and lie in the browser's store. */

/** A conversation token: `alice+bob` (two accounts), `#fishing` (a topic), `@alice` (notices to alice). */
export type ConversationId = string

/** A message id, `alice+bob:471893-17`: the conversation, the epoch, and the number. */
export type MessageId = string

/** A stored message. */
export interface Message {
  id: MessageId
  conversation: ConversationId
  epoch: number
  seq: number
  from: string
  /** When the server stored it, in ms since 1970; 0 if unknown. */
  time: number
  /** The text that stands now; empty for a recalled message. */
  text: string
  /** The id of the message that this one answers. */
  reply?: MessageId
  /** The names that it mentions, or `['all']`. */
  mention?: string[]
  /** The id of its last edit. */
  edited?: MessageId
  /** Who recalled it, and why. */
  recalled?: { by: string; reason: string }
  pinned?: boolean
  /** Reaction → how many accounts gave it. */
  reactions?: Record<string, number>
  /** The reactions that this account gave. */
  mine?: string[]
  /** Whether it is a notice of the server, whose text is `JOINED bob` and the like (doc/protocol.md, "Notices"). */
  notice?: boolean
}

/** Something that this device has written and the server has not confirmed yet. */
export interface Outgoing {
  /** A name of it that this device chose. */
  key: string
  /** A number that grows: the order in which they were written. */
  order: number
  conversation: ConversationId
  kind: 'message' | 'edit' | 'recall' | 'react' | 'unreact' | 'pin' | 'unpin'
  text: string
  /** The message that is edited, recalled, …; the message that is answered. */
  of?: MessageId
  mention?: string[]
  /** The edit whose text was on the screen when an edit began; with another one now, it is refused (`CHANGED`). */
  was?: MessageId
  time: number
  /** Why it failed for good; without it, it waits and will be sent. */
  error?: Failure
}

/** A refusal: a stable word of the protocol (doc/protocol.md, "Errors"), and a sentence. */
export interface Failure {
  word: string
  text: string
  /** When it may be tried again, in ms since 1970. */
  until?: number
}

/** A conversation of the list. */
export interface Conversation {
  id: ConversationId
  /** The display name of the other account, or the title of the topic; empty if there is none. */
  name: string
  /** The name that this account gave it. */
  remark: string
  /** The number of the last message, and of the last one that was read. */
  last: number
  read: number
  unread: number
  mentions: number
  /** When the last message was stored, in ms; 0 if there is none. */
  time: number
  /** The last message for the list. */
  preview?: { id: MessageId; from: string; text: string; recalled?: boolean }
  notify: 'all' | 'mentions' | 'none'
  /** Until when it is silent, in ms; 0: it is not. */
  until: number
  pinned: boolean
  archived: boolean
  /** The number up to which the other account of two has read. */
  otherRead: number
  /** The text that was begun and not sent. */
  draft: string
  /** What waits to be sent, or failed. */
  outgoing: number
  /** Only for a topic that this account is a member of. */
  member?: boolean
}

/** The state of the connection. */
export interface Link {
  state: 'offline' | 'connecting' | 'syncing' | 'online' | 'ended'
  /** Why it ended: `replaced`, `refused`, `revoked`, `deleted`, `logged out`; with the refusal. */
  why?: string
  error?: Failure
  /** How many messages the last synchronisation brought. */
  caughtUp: number
  /** When the next attempt is made, in ms since 1970. */
  nextTry?: number
  /** Whether what is written survives a reload; false: the browser gives no storage. */
  durable: boolean
}

/** What an account shows of itself to those who watch it. */
export interface Presence {
  account: string
  online: boolean
  /** Since when, in ms; 0 if unknown. */
  since: number
}

/** A page of messages, oldest first. */
export interface Page {
  messages: Message[]
  /** Whether there is nothing before it, and nothing after it. */
  first: boolean
  last: boolean
}

/** Where a page begins. */
export type Where = { newest: true } | { before: MessageId } | { after: MessageId } | { around: MessageId | number }

/** What changed; the pages are told of nothing else. */
export type Change =
  | { kind: 'link'; link: Link }
  | { kind: 'conversations'; rows: Conversation[]; removed?: ConversationId[] }
  /** Messages that are new or have changed. `pushed`: they arrived just now, and may be notified of. */
  | { kind: 'messages'; conversation: ConversationId; rows: Message[]; pushed: boolean }
  /** Numbers that were not pushed: what comes after them does not follow what was there. */
  | { kind: 'hole'; conversation: ConversationId; first: number; last: number }
  /** All that waits or failed in this conversation. */
  | { kind: 'outgoing'; conversation: ConversationId; rows: Outgoing[] }
  /** Account → display name. */
  | { kind: 'names'; names: Record<string, string> }
  | { kind: 'presence'; rows: Presence[] }
  | { kind: 'typing'; conversation: ConversationId; account: string; at: number }
