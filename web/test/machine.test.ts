import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Machine } from '../src/protocol/machine.ts'
import type { Numbered, Refused, Request } from '../src/protocol/request.ts'
import * as requests from '../src/protocol/requests.ts'
import type { ClientState } from '../src/protocol/state.ts'
import { made, shown, vectors } from './vectors.ts'

/** What was put into the Python machine, and what came out. */
interface Step {
  now: number
  do: [string, ...unknown[]]
  result: unknown
  events: Record<string, unknown>[]
  lines: string[]
  state: ClientState | null
  deadline: number | null
  phase: string
}

const scenarios = vectors<Step[][]>('machine')

type Make = (...args: unknown[]) => Numbered & Request<unknown>

function call(machine: Machine, [what, ...args]: [string, ...unknown[]]): unknown {
  const given = args.map((one) => one ?? undefined)
  try {
    if (what === 'send') return machine.send(...(given as Parameters<Machine['send']>))
    const [name, ...rest] = given as [string, ...unknown[]]
    const made = (requests as unknown as Record<string, Make>)[name]!(...rest)
    return what === 'operate' ? machine.operate(made) : machine.ask(made)
  } catch (error) {
    if (error instanceof Error) throw error
    return (error as Refused).word
  }
}

test('the machine does what the Python one does', () => {
  let steps = 0
  for (const [number, scenario] of scenarios.entries()) {
    let machine = made()
    for (const [at, step] of scenario.entries()) {
      const where = `scenario ${number}, step ${at}: ${JSON.stringify(step.do)}`
      const [what] = step.do
      let result: unknown = null
      if (what === 'connected') machine.connected(step.now)
      else if (what === 'lost') machine.lost()
      else if (what === 'tick') machine.tick(step.now)
      else if (what === 'lines') for (const line of step.do[1] as string[]) machine.received(line, step.now)
      else if (what === 'restart') machine = made({ state: JSON.parse(JSON.stringify(machine.snapshot())) as ClientState })
      else result = call(machine, step.do)
      assert.deepEqual(result, step.result, where)
      assert.deepEqual(machine.events().map(shown), step.events, where)
      assert.deepEqual(machine.lines(step.now), step.lines, where)
      const state = machine.changed ? machine.snapshot() : null
      machine.saved()
      assert.equal(state !== null, step.state !== null, where)
      if (state) assert.deepEqual(JSON.parse(JSON.stringify(state)), step.state, where)
      assert.equal(machine.deadline(step.now), step.deadline, where)
      assert.equal(machine.phase, step.phase, where)
      steps += 1
    }
  }
  assert.ok(steps > 2500)
})
