import assert from 'node:assert/strict'
import { test } from 'node:test'

import { add, cut, type Span, spanOf } from '../src/engine/spans.ts'

test('runs hold exactly the numbers that were added and not cut', () => {
  let spans: Span[] = []
  let held = new Set<number>()
  let state = 7
  const roll = (sides: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % sides
  }
  for (let turn = 0; turn < 3000; turn++) {
    const first = 1 + roll(60)
    if (roll(8) === 0) {
      spans = cut(spans, first)
      held = new Set([...held].filter((number) => number < first))
    } else {
      const last = first + roll(6) - 1
      spans = add(spans, first, last)
      for (let number = first; number <= last; number++) held.add(number)
    }
    for (let number = 0; number < 80; number++) assert.equal(spanOf(spans, number) !== undefined, held.has(number))
    for (const [at, span] of spans.slice(1).entries()) assert.ok(spans[at]![1] + 1 < span[0], 'there is a hole between two')
  }
})
