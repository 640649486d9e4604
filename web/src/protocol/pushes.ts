/** The server's pushes, from lines to events; a push that is not known is null. */
import type { Event, MessageEvent } from './events.ts'
import { readChoice, readConversation, readId, readMention, readName, readNumber, readReaction, readWithin } from './fields.ts'
import { parseTags, type Tags } from './lines.ts'
import { splitId } from './names.ts'
import { need, split, textOf } from './request.ts'

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
    const [topic, from, id, text] = need(split(rest, 3), 4)
    readName(topic)
    return { ...message(from, id, text, tags), mention: readMention(tags.mention ?? '') }
  },
  RESP_NOTICE: (rest, tags) => {
    const [from, id, text] = need(split(rest, 2), 3)
    return { type: 'notice', from: readName(from), text: textOf(text, tags), ...placed(id), time: timeOf(tags) }
  },
  RESP_GAP: (rest) => range('gap', rest),
  RESP_BEHIND: (rest) => range('behind', rest),
  RESP_READ: (rest) => {
    const [account, id] = need(rest.split(' '), 2)
    return { type: 'read', account: readName(account), id: readId(id) }
  },
  RESP_EDIT: (rest, tags) => {
    const [from, id, target, text] = need(split(rest, 3), 4)
    const mention = readMention(tags.mention ?? '')
    return { type: 'edited', ...operated(from, id, target), text: textOf(text, tags), mention }
  },
  RESP_RECALL: (rest, tags) => {
    const [from, id, target, reason = ''] = need(split(rest, 3), 3)
    return { type: 'recalled', ...operated(from, id, target), reason: textOf(reason, tags) }
  },
  RESP_REACTION: (rest) => {
    const [from, id, target, sign, reaction] = need(rest.split(' '), 5)
    return { type: 'reacted', ...operated(from, id, target), reaction: readReaction(reaction), added: readChoice(sign, '+', '-') }
  },
  RESP_REACTIONS: (rest) => {
    const [target, sums] = need(rest.split(' '), 2)
    const { id, conversation } = placed(target)
    const written = parseTags(`r=${sums}`).r ?? ''
    return { type: 'reactionSums', of: id, conversation, reactions: written === '-' ? {} : sumsOf(written) }
  },
  RESP_PIN: (rest) => {
    const [from, id, target, sign] = need(rest.split(' '), 4)
    return { type: 'pinned', ...operated(from, id, target), added: readChoice(sign, '+', '-') }
  },
  RESP_PRESENCE: (rest) => {
    const [account, state, since] = need(rest.split(' '), 3)
    return { type: 'presence', account: readName(account), online: readChoice(state, 'online', 'offline'), since: readNumber(since) }
  },
  RESP_TYPING: (rest) => {
    const [account, conversation] = need(rest.split(' '), 2)
    return { type: 'typing', account: readName(account), conversation: readConversation(conversation) }
  },
  RESP_SYNCED: () => ({ type: 'synced' }),
  RESP_PING: () => ({ type: 'pinged' }),
  RESP_REPLACED: () => ({ type: 'replaced' }),
  RESP_REVOKED: (rest) => ({ type: 'revoked', why: split(rest, 1)[0] ?? '' }),
  RESP_MOVE: (rest) => {
    const [address, within] = need(rest.split(' '), 2)
    return { type: 'moved', address: filled(address) === '-' ? null : address, within: readWithin(within) }
  },
  RESP_BYE: (rest, tags) => {
    const [why, sentence = ''] = split(rest, 1)
    return { type: 'bye', why: filled(why), sentence: textOf(sentence, tags) }
  },
}

/** Return the event of a `RESP_…` line; null for an unknown one. Fails for a malformed one. */
export function parsePush(verb: string, rest: string, tags: Tags): Event | Told | null {
  return Object.hasOwn(PUSHES, verb) ? PUSHES[verb]!(rest, tags) : null
}

function message(from: string, id: string, text: string, tags: Tags): MessageEvent {
  const { reply, edited } = tags
  return {
    type: 'message',
    from: readName(from),
    text: textOf(text, tags),
    ...placed(id),
    reply: reply === undefined ? '' : readId(reply),
    mention: [],
    edited: edited === undefined ? '' : readId(edited),
    time: timeOf(tags),
  }
}

function range(type: 'gap' | 'behind', rest: string): Event {
  const [conversation, first, last] = need(rest.split(' '), 3)
  return { type, conversation: readConversation(conversation), first: readNumber(first), last: readNumber(last) }
}

function operated(from: string, id: string, target: string) {
  return { from: readName(from), ...placed(id), of: readId(target) }
}

/** Return an id with its conversation. */
function placed(id: string): { id: string; conversation: string } {
  return { id: readId(id), conversation: splitId(id)[0] }
}

function timeOf(tags: Tags): number {
  return readNumber(tags.time ?? '0')
}

function filled(text: string | undefined): string {
  if (!text) throw new Error('a field is missing')
  return text
}

/** Return the words of a tag that are separated by commas. */
export function words(tag: string | undefined): string[] {
  return tag ? tag.split(',') : []
}

/** Return reaction → how many accounts have given it, from `👍:3,❤️:1`. Fails for anything else. */
export function sumsOf(tag: string | undefined): Record<string, number> {
  return Object.fromEntries(
    words(tag).map((one) => {
      const colon = one.lastIndexOf(':')
      if (colon < 1) throw new Error('no sum of a reaction')
      return [one.slice(0, colon), readNumber(one.slice(colon + 1))]
    }),
  )
}

