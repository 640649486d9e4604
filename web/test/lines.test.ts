import assert from 'node:assert/strict'
import { test } from 'node:test'

import { online, shown, vectors } from './vectors.ts'

const lines = vectors<[line: string, events: Record<string, unknown>[] | null][]>('lines')

test('a line makes the events that it makes in the Python library, or breaks the connection as there', () => {
  const wrong: unknown[] = []
  for (const [line, events] of lines) {
    const machine = online()
    machine.received(line, 0)
    const found = machine.events().map(shown)
    const isBroken = machine.phase === 'broken' && !line.includes('RESP_BYE')
    try {
      assert.deepEqual(isBroken ? null : found, events)
    } catch {
      wrong.push({ line, found: isBroken ? null : found, events })
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(lines.length > 2000)
})
