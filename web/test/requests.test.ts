import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Numbered, Refused, Request } from '../src/protocol/request.ts'
import * as requests from '../src/protocol/requests.ts'
import { online, vectors } from './vectors.ts'

/** A call of the Python library: its line or its refusal; and replies with the result or the error of each. */
interface Vector {
  call: [name: string, ...unknown[]]
  line?: string
  refused?: string
  settled?: string | null
  replies?: [lines: string[], result: { value: unknown } | { error: string }][]
}

const all = vectors<Vector[]>('requests')

type Call = (...args: unknown[]) => Request<unknown> | Numbered

/** Return what a call makes of its arguments: the request, or the refusal. */
function called({ call: [name, ...args] }: Vector): ReturnType<Call> | Refused {
  const given = args.map((one) => one ?? undefined)
  try {
    return (requests as unknown as Record<string, Call>)[name]!(...given)
  } catch (error) {
    if (error instanceof Error) throw error
    return error as Refused
  }
}

test('a call makes the line that it makes in the Python library, or is refused as there', () => {
  for (const vector of all) {
    const made = called(vector)
    const found = 'line' in made ? { line: made.line } : { refused: made.word }
    assert.deepEqual(found, vector.line === undefined ? { refused: vector.refused } : { line: vector.line }, JSON.stringify(vector.call))
  }
})

test('a reply is read as in the Python library', () => {
  let count = 0
  for (const vector of all) {
    for (const [lines, result] of vector.replies ?? []) {
      const machine = online()
      const request = called(vector) as Request<unknown>
      assert.equal(request.settled ?? null, vector.settled)
      machine.ask(request)
      machine.lines(0)
      for (const line of lines) machine.received(line, 0)
      const [settled] = machine.events()
      assert.equal(settled?.type, 'settled', `${lines}`)
      const { value, error } = settled
      assert.deepEqual(error ? { error: error.word } : { value: shown(vector.call[0], value) }, result, lines.join('\n'))
      count += 1
    }
  }
  assert.ok(count > 800)
})

/** Return a result without what only these requests read; a structured clone, as it is passed between tabs. */
function shown(name: string, value: unknown): unknown {
  const plain = structuredClone(value) ?? null
  if (name === 'conversations') for (const one of plain as { recalled?: string }[]) delete one.recalled
  return plain
}
