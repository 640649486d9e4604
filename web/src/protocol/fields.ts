/**
 * Fields: how each is read from a line of the server (`fishchat/protocols/fields.py`). A reader returns the value in its
 * one form, and fails with an error for what is no such field.
 */
import { bytesOf, MENTIONED } from './lines.ts'
import { formatPosition, isConversation, isName, splitId } from './names.ts'

/** The most bytes of a reaction. */
const REACTION_BYTES = 32
/** Controls, marks without a shape, private and unassigned letters, and blanks. */
const INVISIBLE = /[\p{C}\p{Z}]/u

/** Read the name of an account, a topic or a device. */
export function readName(text: string): string {
  if (!isName(text)) throw new Error('no name')
  return text
}

/** Read a conversation, such as `alice+bob`. */
export function readConversation(text: string): string {
  if (!isConversation(text)) throw new Error('no conversation')
  return text
}

/** Read a message id. */
export function readId(text: string): string {
  const [conversation, position] = splitId(text)
  return `${conversation}:${formatPosition(position)}`
}

/** Read a number of up to 15 digits. */
export function readNumber(text: string | undefined): number {
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) throw new Error('no number')
  return Number(text)
}

/** Read one of two words; returns whether it is the first of them. */
export function readChoice(text: string, yes: string, no: string): boolean {
  if (text !== yes && text !== no) throw new Error(`neither ${yes} nor ${no}`)
  return text === yes
}

/** Read `within=30`; returns the seconds. */
export function readWithin(text: string): number {
  const [, seconds = ''] = /^within=([0-9]{1,9}(?:\.[0-9]+)?)$/.exec(text) ?? []
  if (!seconds) throw new Error('no time')
  return Number(seconds)
}

/** Read names that are separated by commas, or `all`. */
export function readMention(text: string): string[] {
  const names = text ? text.split(',') : []
  if (names.length > MENTIONED || !names.every(isName)) throw new Error('no names')
  return names
}

/** Read a reaction: up to 32 bytes, without commas and invisible letters but the joiner within emoji. */
export function readReaction(text: string): string {
  const letters = text.replaceAll('\u200d', '')
  const isFit = letters !== '' && bytesOf(text) <= REACTION_BYTES && !text.includes(',') && !INVISIBLE.test(letters)
  if (!isFit) throw new Error('no reaction')
  return text
}
