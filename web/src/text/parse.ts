/**
 * From a text to nodes: bold, italics, strike, code, fences, quotes, lists, links and mentions. Never HTML.
 *
 * Every node keeps the letters that it was made of, so `plainOf` returns exactly the text. One pass, without
 * backtracking over more than the rest of a line.
 */

export type Inline =
  | { type: 'text'; text: string }
  | { type: 'bold' | 'italic' | 'strike'; mark: string; children: Inline[] }
  | { type: 'code'; mark: string; text: string }
  | { type: 'link'; text: string; href: string }
  | { type: 'mention'; text: string; account: string }

export type Block =
  | { type: 'line'; children: Inline[]; end: string }
  | { type: 'quote' | 'item'; mark: string; children: Inline[]; end: string }
  | { type: 'fence'; open: string; text: string; close: string; end: string }

const FENCE = /^```[\w+-]*$/
const QUOTE = /^>[ ]?/
const ITEM = /^(?:[-*•]|\d{1,3}[.)])[ ]/
/** Where something may begin in a line. */
const START = /\*\*|~~|`+|(?<![\w*])\*(?=\S)|(?<!\w)_(?=\S)|@[a-z0-9._-]+|(?:https?:\/\/|mailto:)\S/gi
/** The end of a link: blanks, and the punctuation of Chinese. */
const LINK_END = /[\s<>"，。；：！？、）】》」』”’…]/

/** Return the blocks of a text. */
export function parse(text: string): Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    const end = at < lines.length - 1 ? '\n' : ''
    const close = FENCE.test(line) ? lines.indexOf('```', at + 1) : -1
    if (close > at) {
      blocks.push({ type: 'fence', open: line, text: lines.slice(at + 1, close).join('\n'), close: '```', end: close < lines.length - 1 ? '\n' : '' })
      at = close
      continue
    }
    const [quote] = QUOTE.exec(line) ?? []
    const [item] = ITEM.exec(line) ?? []
    const mark = quote ?? item
    if (mark !== undefined) {
      blocks.push({ type: quote === undefined ? 'item' : 'quote', mark, children: inline(line.slice(mark.length)), end })
    } else {
      blocks.push({ type: 'line', children: inline(line), end })
    }
  }
  return blocks
}

function inline(line: string, depth = 0): Inline[] {
  const nodes: Inline[] = []
  let done = 0
  START.lastIndex = 0
  for (let at = next(line, 0); at; at = next(line, at.index + at.length)) {
    const node = begin(line, at.index, at.text, depth)
    if (!node) continue
    if (at.index > done) nodes.push({ type: 'text', text: line.slice(done, at.index) })
    nodes.push(node)
    done = at.index + plainOfInline(node).length
    at.length = done - at.index
  }
  if (done < line.length) nodes.push({ type: 'text', text: line.slice(done) })
  return nodes
}

function next(line: string, from: number): { index: number; text: string; length: number } | null {
  START.lastIndex = from
  const found = START.exec(line)
  return found && { index: found.index, text: found[0], length: Math.max(1, found[0].length) }
}

function begin(line: string, at: number, text: string, depth: number): Inline | null {
  if (text.startsWith('`')) {
    const end = line.indexOf(text, at + text.length)
    return end > at + text.length - 1 && end !== at + text.length ? { type: 'code', mark: text, text: line.slice(at + text.length, end) } : null
  }
  if (text.startsWith('@')) return mention(line, at, text)
  if (text === '**') return marked(line, at, text, 'bold', depth)
  if (text === '~~') return marked(line, at, text, 'strike', depth)
  if (text === '*' || text === '_') return marked(line, at, text, 'italic', depth)
  return link(line, at)
}

function marked(line: string, at: number, mark: string, type: 'bold' | 'italic' | 'strike', depth: number): Inline | null {
  const from = at + mark.length
  const end = line.indexOf(mark, from + 1)
  // A blank inside a mark, as in 2 * 3 * 4, and a mark in a word are letters.
  if (depth > 3 || end < 0 || /\s/.test(line[from]!) || /\s/.test(line[end - 1]!)) return null
  if (type === 'italic' && /\w/.test(line[end + 1] ?? '')) return null
  return { type, mark, children: inline(line.slice(from, end), depth + 1) }
}

function mention(line: string, at: number, text: string): Inline | null {
  if (/[\w.@-]/.test(line[at - 1] ?? '')) return null
  const word = text.replace(/[.-]+$/, '')
  return word.length > 1 ? { type: 'mention', text: word, account: word.slice(1).toLowerCase() } : null
}

function link(line: string, at: number): Inline | null {
  if (/\w/.test(line[at - 1] ?? '')) return null
  const rest = line.slice(at)
  const end = rest.search(LINK_END)
  let text = (end < 0 ? rest : rest.slice(0, end)).replace(/[.,;:!?'*_~]+$/, '')
  while (text.endsWith(')') && count(text, ')') > count(text, '(')) text = text.slice(0, -1).replace(/[.,;:!?']+$/, '')
  const href = safe(text)
  return href ? { type: 'link', text, href } : null
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1
}

/** Return the address of a link if it leads to where links may; null for anything else. */
function safe(text: string): string | null {
  try {
    const url = new URL(text)
    const isKnown = url.protocol === 'https:' || url.protocol === 'http:' ? url.hostname !== '' : url.protocol === 'mailto:' && url.pathname !== ''
    return isKnown ? url.href : null
  } catch {
    return null
  }
}

/** Return the text that blocks were made of. */
export function plainOf(blocks: Block[]): string {
  return blocks
    .map((block) => {
      if (block.type === 'fence') return `${block.open}\n${block.text}\n${block.close}${block.end}`
      const line = block.children.map(plainOfInline).join('')
      return `${'mark' in block ? block.mark : ''}${line}${block.end}`
    })
    .join('')
}

function plainOfInline(node: Inline): string {
  if (node.type === 'code') return `${node.mark}${node.text}${node.mark}`
  if ('children' in node) return `${node.mark}${node.children.map(plainOfInline).join('')}${node.mark}`
  return node.text
}
