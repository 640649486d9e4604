import type { Refused } from './request.ts'

/** What an operation and its push have in common. */
interface Operated {
  from: string
  /** The id of the operation, and that of the message. */
  id: string
  of: string
  conversation: string
}

export interface MessageEvent {
  type: 'message'
  from: string
  text: string
  id: string
  conversation: string
  reply: string
  mention: string[]
  edited: string
  /** When it was stored, in ms since 1970; 0 if the server does not say. */
  time: number
}

export interface NoticeEvent {
  type: 'notice'
  from: string
  text: string
  id: string
  conversation: string
  time: number
}

/** An operation on a message. */
export type OperationEvent =
  | (Operated & { type: 'edited'; text: string; mention: string[] })
  | (Operated & { type: 'recalled'; reason: string })
  | (Operated & { type: 'reacted'; reaction: string; added: boolean })
  | (Operated & { type: 'pinned'; added: boolean })

/** Numbers of a conversation that can no longer be delivered (`gap`), or are not pushed (`behind`). */
export interface RangeEvent {
  type: 'gap' | 'behind'
  conversation: string
  first: number
  last: number
}

/** The end of a call, by its key: a result, or an error. `time`: when a message was stored, in ms; 0 if unknown. */
export interface SettledEvent {
  type: 'settled'
  key: number
  value: unknown
  error: Refused | null
  time: number
}

/** Asked of whoever drives the machine: a proof of the password, which takes a moment to compute (`scram.ts`). */
export interface ProveEvent {
  type: 'prove'
  account: string
  password: string
  nonce: string
  challenge: string
}

/** The end of the client: stopped, replaced by another login of this device, refused, or revoked. */
export interface EndedEvent {
  type: 'ended'
  reason: 'stopped' | 'replaced' | 'refused' | 'revoked'
  error: Refused | null
  /** Why it was revoked, in the server's word. */
  detail: string
}

/** All that the machine reports. */
export type Event =
  | MessageEvent
  | NoticeEvent
  | OperationEvent
  | RangeEvent
  | SettledEvent
  | ProveEvent
  | EndedEvent
  | { type: 'reactionSums'; of: string; conversation: string; reactions: Record<string, number> }
  | { type: 'read'; account: string; id: string }
  | { type: 'presence'; account: string; online: boolean; since: number }
  | { type: 'typing'; account: string; conversation: string }
  | { type: 'online' }
  | { type: 'synced' }
  | { type: 'moved'; address: string | null; within: number }
  | { type: 'broken'; reason: string }
