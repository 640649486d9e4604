/** The server's pushes, from lines to events; a push that is not known is null. */
import type { Event } from './events.ts'
import { parseTags, type Tags } from './lines.ts'
import { splitId } from './names.ts'
import { split, textOf } from './request.ts'

/** A push about the connection, which the machine handles itself. */
export type Told =
  | { type: 'pinged' }
  | { type: 'replaced' }
  | { type: 'revoked'; why: string }
  | { type: 'bye'; why: string; sentence: string }

type Read = (rest: string, tags: Tags) => Event | Told

const PUSHES: Record<string, Read> = {
  RESP_MESSAGE_P2P: (rest, tags) => {
    const [from, id, text] = need(split(rest, 2), 3)
    return message(from, id, text, tags)
  },
  RESP_MESSAGE_TOPIC: (rest, tags) => {
    const [, from, id, text] = need(split(rest, 3), 4)
    return message(from, id, text, tags)
  },
  RESP_NOTICE: (rest, tags) => {
    const [from, id, text] = need(split(rest, 2), 3)
    return { type: 'notice', from, text: textOf(text, tags), id, conversation: of(id), time: Number(tags.time ?? 0) }
  },
  RESP_GAP: (rest) => range('gap', rest),
  RESP_BEHIND: (rest) => range('behind', rest),
  RESP_READ: (rest) => {
    const [account, id] = need(rest.split(' '), 2)
    of(id)
    return { type: 'read', account, id }
  },
  RESP_EDIT: (rest, tags) => {
    const [from, id, target, text] = need(split(rest, 3), 4)
    return { type: 'edited', ...operated(from, id, target), text: textOf(text, tags), mention: words(tags.mention) }
  },
  RESP_RECALL: (rest, tags) => {
    const [from, id, target, reason = ''] = need(split(rest, 3), 3)
    return { type: 'recalled', ...operated(from, id, target), reason: textOf(reason, tags) }
  },
  RESP_REACTION: (rest) => {
    const [from, id, target, sign, reaction] = need(rest.split(' '), 5)
    return { type: 'reacted', ...operated(from, id, target), reaction, added: sign === '+' }
  },
  RESP_REACTIONS: (rest) => {
    const [target, sums] = need(split(rest, 1), 2)
    const written = parseTags(`r=${sums}`).r ?? ''
    return { type: 'reactionSums', of: target, conversation: of(target), reactions: written === '-' ? {} : sumsOf(written) }
  },
  RESP_PIN: (rest) => {
    const [from, id, target, sign] = need(rest.split(' '), 4)
    return { type: 'pinned', ...operated(from, id, target), added: sign === '+' }
  },
  RESP_PRESENCE: (rest) => {
    const [account, state, since] = need(rest.split(' '), 3)
    return { type: 'presence', account, online: state === 'online', since: Number(since) }
  },
  RESP_TYPING: (rest) => {
    const [account, conversation] = need(rest.split(' '), 2)
    return { type: 'typing', account, conversation }
  },
  RESP_SYNCED: () => ({ type: 'synced' }),
  RESP_PING: () => ({ type: 'pinged' }),
  RESP_REPLACED: () => ({ type: 'replaced' }),
  RESP_REVOKED: (rest) => ({ type: 'revoked', why: need(rest.split(' '), 1)[0] }),
  RESP_MOVE: (rest) => {
    const [address, within] = need(rest.split(' '), 2)
    return { type: 'moved', address: address === '-' ? null : address, within: number(within.replace('within=', '')) }
  },
  RESP_BYE: (rest) => {
    const [why, sentence = ''] = need(split(rest, 1), 1)
    return { type: 'bye', why, sentence }
  },
}

/** Return the event of a `RESP_…` line; null for an unknown one. Fails for a malformed one. */
export function parsePush(verb: string, rest: string, tags: Tags): Event | Told | null {
  return Object.hasOwn(PUSHES, verb) ? PUSHES[verb]!(rest, tags) : null
}

function message(from: string, id: string, text: string, tags: Tags): Event {
  const { reply = '', mention, edited = '', time = 0 } = tags
  const conversation = of(id)
  return { type: 'message', from, text: textOf(text, tags), id, conversation, reply, mention: words(mention), edited, time: Number(time) }
}

function range(type: 'gap' | 'behind', rest: string): Event {
  const [conversation, first, last] = need(rest.split(' '), 3)
  return { type, conversation, first: number(first), last: number(last) }
}

function operated(from: string, id: string, target: string) {
  return { from, id, of: target, conversation: of(id) }
}

/** Return the conversation of an id. */
function of(id: string): string {
  return splitId(id)[0]
}

function number(text: string): number {
  const found = Number(text)
  if (text === '' || !Number.isFinite(found)) throw new Error('no number')
  return found
}

function need(fields: string[], count: number): [string, string, string, string, string] {
  if (fields.length < count) throw new Error('a field is missing')
  return fields as [string, string, string, string, string]
}

/** Return the words of a tag that are separated by commas. */
export function words(tag: string | undefined): string[] {
  return tag ? tag.split(',') : []
}

/** Return reaction → how many accounts have given it, from `👍:3,❤️:1`. */
export function sumsOf(tag: string | undefined): Record<string, number> {
  return Object.fromEntries(
    words(tag).map((one) => {
      const colon = one.lastIndexOf(':')
      return [one.slice(0, colon), number(one.slice(colon + 1))]
    }),
  )
}

