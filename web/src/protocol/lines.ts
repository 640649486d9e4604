/** Lines: tags, escapes and limits (doc/protocol.md, "Lines"). Limits count bytes of UTF-8. */

/** The most bytes of a text, as it is sent. */
export const MAX_TEXT = 7168
/** The most names of a mention. */
export const MENTIONED = 16

const encoder = new TextEncoder()
// C0 but TAB, LF, CR and NUL; DEL; C1.
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

const TAG = /^[a-z][a-z0-9-]{0,31}$/

export type Tags = Record<string, string>

/** Return how many bytes a text has on the wire. */
export function bytesOf(text: string): number {
  return encoder.encode(text).length
}

/** Return the tags of a line, without the `@` before them: the last of two with the same name counts. Fails for others. */
export function parseTags(raw: string): Tags {
  const tags: Tags = {}
  for (const one of raw.split(';')) {
    const at = one.indexOf('=')
    const name = at < 0 ? one : one.slice(0, at)
    if (!TAG.test(name)) throw new Error('invalid tags')
    tags[name] = at < 0 ? '' : unescapeTag(one.slice(at + 1))
  }
  return tags
}

/** Return tags as they stand before a line, with the blank after them; empty for none. */
export function formatTags(tags: Tags): string {
  const all = Object.entries(tags).map(([name, value]) => (value === '' ? name : `${name}=${escapeTag(value)}`))
  return all.length ? `@${all.join(';')} ` : ''
}

/** Return a command with one more tag before all others. */
export function withTag(line: string, tag: string): string {
  return line.startsWith('@') ? `@${tag};${line.slice(1)}` : `@${tag} ${line}`
}

function unescapeTag(value: string): string {
  const meanings: Record<string, string> = { ':': ';', s: ' ', r: '\r', n: '\n' }
  return value.includes('\\') ? value.replace(/\\(.?)/gs, (_, letter: string) => meanings[letter] ?? letter) : value
}

function escapeTag(value: string): string {
  const written: Record<string, string> = { ';': '\\:', ' ': '\\s', '\r': '\\r', '\n': '\\n', '\\': '\\\\' }
  return value.replace(/[; \r\n\\]/g, (letter) => written[letter]!)
}

/** Return a text without its escapes. Fails for an escape that there is not. */
export function unescape(text: string): string {
  return text.replace(/\\(.?)/gs, (_, letter: string) => {
    if (letter === 'n') return '\n'
    if (letter === 'r') return '\r'
    if (letter === '\\') return '\\'
    throw new Error('an unknown escape')
  })
}

/** Return a text with line ends and backslashes escaped. */
export function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

/** Return a text as a server keeps it: without control characters. */
export function cleaned(text: string): string {
  return text.replace(CONTROLS, '')
}

/** Whether a text has half of a pair of surrogates in it, which UTF-8 cannot write. */
export function isBroken(text: string): boolean {
  return LONE.test(text)
}
