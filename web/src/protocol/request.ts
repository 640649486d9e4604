/** Requests, replies and refusals: the base of `requests.ts`. */
import { bytesOf, cleaned, escape, formatTags, isBroken, MAX_TEXT, MENTIONED, type Tags, unescape } from './lines.ts'
import { readId } from './fields.ts'
import { isConversation, isName, namedConversation } from './names.ts'

/** A refusal of the server, or of this library for a command that no server could accept. A plain value. */
export interface Refused {
  /** The stable word (doc/protocol.md, "Error words"). */
  word: string
  /** A sentence for a person. */
  text: string
  /** The `key=value` pairs of the error line. */
  extra: Record<string, string>
  /** Until when it holds, in ms since 1970. */
  until?: number
}

/** One item of a list: its text, and its tags. */
export interface Item {
  text: string
  tags: Tags
}

/** The reply to one command: what stands after the verb of its OK line, the items of its list, or the error. */
export interface Reply {
  rest: string
  tags: Tags
  items: Item[]
  error: Refused | null
}

/** A command with the function that reads its reply. */
export interface Request<T> {
  verb: string
  line: string
  result: (reply: Reply) => T
  /** The word that means, after an attempt of unknown outcome, that this attempt had succeeded. */
  settled?: string
}

/** A command that uses up a number of its conversation, which the machine adds; its result is an id. */
export interface Numbered {
  conversation: string
  verb: string
  line: string
}

const SECONDS = /^[0-9]{1,15}(?:\.[0-9]+)?$/

/** Return a refusal as the library makes it. */
export function refused(word: string, text = '', extra: Record<string, string> = {}): Refused {
  return { word, text, extra }
}

/** Return the seconds after which a refused command may succeed; null if waiting does not help. */
export function retryOf({ extra }: Refused): number | null {
  return SECONDS.test(extra.retry ?? '') ? Math.min(Number(extra.retry), 60) : null
}

/** Return the error in `WORD [key=value …] sentence`. */
export function parseError(rest: string): Refused {
  const [word = '', ...words] = rest.split(' ')
  let text = words.join(' ')
  const extra: Record<string, string> = {}
  for (let found = /^([a-z_]+)=(\S*) */.exec(text); found; found = /^([a-z_]+)=(\S*) */.exec(text)) {
    extra[found[1]!] = found[2]!
    text = text.slice(found[0].length)
  }
  const until = Number(extra.until)
  return { word, text, extra, ...(until ? { until } : {}) }
}

/** Return a command as a line. Empty fields at the end are left out. */
export function lineOf(verb: string, fields: (string | number)[] = [], text = '', tags: Tags = {}): string {
  const words = [verb, ...fields.map(String)]
  return `${formatTags(tags)}${words.join(' ')}${text ? ` ${text}` : ''}`
}

interface Parts<T> {
  fields?: (string | number)[]
  text?: string
  tags?: Tags
  result: (reply: Reply) => T
  settled?: string
}

/** Return the request of a verb. */
export function request<T>(verb: string, parts: Parts<T>): Request<T> {
  const { fields, text, tags, result, settled } = parts
  return { verb, line: lineOf(verb, fields, text, tags), result, ...(settled ? { settled } : {}) }
}

/** Read a reply that is nothing but its `OK`. */
export function nothing(): void {}

/** Return what reads a list, one item at a time. */
export function items<T>(one: (item: Item) => T): (reply: Reply) => T[] {
  return (reply) => reply.items.map(one)
}

/** Return the text of a push or an item. */
export function textOf(text: string, tags: Tags): string {
  return 'esc' in tags ? unescape(text) : text
}

/** Return fields of which the first ones, so many, must be there. Fails if one is missing. */
export function need(fields: string[], count: number): [string, string, string, string, string, ...string[]] {
  if (fields.length < count) throw new Error('a field is missing')
  return fields as [string, string, string, string, string, ...string[]]
}

/** Return the first words of a text and the rest of it after them. */
export function split(text: string, words: number): string[] {
  const found: string[] = []
  let rest = text
  while (found.length < words && rest !== '') {
    const at = rest.indexOf(' ')
    found.push(at < 0 ? rest : rest.slice(0, at))
    if (at < 0) return found
    rest = rest.slice(at + 1)
  }
  return [...found, rest]
}

// Checks of what a person has given. Each fails with `Refused`.

/** Return a text as it is sent, and the tag `esc` where that is needed. */
export function messageText(text: string): { text: string; tags: Tags } {
  const clean = cleaned(text)
  if (isBroken(clean)) throw refused('BADUTF8')
  if (clean.includes('\0')) throw refused('NUL')
  const isEscaped = /[\n\r]/.test(clean)
  const raw = isEscaped ? escape(clean) : clean
  if (bytesOf(raw) > MAX_TEXT) throw refused('TEXTTOOLONG', '', { limit: String(MAX_TEXT) })
  return { text: raw, tags: isEscaped ? { esc: '' } : {} }
}

/** Return the value of the tag `mention`. */
export function mentionOf(names: readonly string[]): string {
  if (names.length > MENTIONED || !names.length) throw refused('BADTAG')
  return names.map(nameOf).join(',')
}

export function nameOf(text: string): string {
  if (!isName(text)) throw refused('BADNAME')
  return text
}

/** Return a conversation, or the account whose conversation is meant. */
export function conversationOf(text: string): string {
  const found = namedConversation(text)
  if (!isConversation(found) && !isName(found)) throw refused('BADID')
  return found
}

export function idOf(text: string): string {
  try {
    return readId(text)
  } catch {
    throw refused('BADID')
  }
}

/** Return a text for a line, without escapes. */
export function lineText(text: string, word: string): string {
  if (!text || cleaned(text) !== text || /[\n\r\0]/.test(text) || isBroken(text)) {
    throw refused(word, 'it is empty or contains a character that no line can hold')
  }
  return text
}
