/** Names, conversations and positions (doc/protocol.md, "Lines"). */

const NAME = /^[a-z0-9._-]{1,32}$/
/** More digits are no exact number. */
const NUMBER = /^[0-9]{1,15}$/

/** An epoch and a number: compared in this order. */
export type Position = readonly [epoch: number, number: number]

export const START: Position = [0, 0]

/** Whether this may be the name of an account, a topic or a device. */
export function isName(text: string): boolean {
  return NAME.test(text)
}

/** Return less than 0 if the first position is below the second one, 0 if they are the same, else more. */
export function compare(one: Position, other: Position): number {
  return one[0] - other[0] || one[1] - other[1]
}

/** Return the higher of two positions. */
export function higher(one: Position, other: Position): Position {
  return compare(one, other) >= 0 ? one : other
}

/** Return the position in `7-42`. Fails for anything else. */
export function parsePosition(text: string): Position {
  const [epoch = '', number = '', more] = text.split('-')
  if (!NUMBER.test(epoch) || !NUMBER.test(number) || more !== undefined) throw new Error(`no position: ${text}`)
  return [Number(epoch), Number(number)]
}

export function formatPosition([epoch, number]: Position): string {
  return `${epoch}-${number}`
}

/** Return the conversation of two accounts. */
export function p2p(one: string, other: string): string {
  return one < other ? `${one}+${other}` : `${other}+${one}`
}

/** Whether this is the token of a conversation: `alice+bob`, `#fishing`, `@alice`. */
export function isConversation(text: string): boolean {
  if (text.startsWith('#') || text.startsWith('@')) return isName(text.slice(1))
  const [one = '', other = '', more] = text.split('+')
  return more === undefined && isName(one) && isName(other) && one <= other
}

/** Return the conversation that a person names: the two accounts may be in any order. An account's name stays a name. */
export function namedConversation(text: string): string {
  const [one = '', other = '', more] = text.split('+')
  return more === undefined && isName(one) && isName(other) ? p2p(one, other) : text
}

/** Return conversation and position of a message id. Fails for anything else. */
export function splitId(id: string): [conversation: string, position: Position] {
  const colon = id.lastIndexOf(':')
  const conversation = id.slice(0, colon)
  if (colon < 0 || !isConversation(conversation)) throw new Error(`no message id: ${id}`)
  return [conversation, parsePosition(id.slice(colon + 1))]
}
