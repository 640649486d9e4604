import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Event } from '../src/protocol/events.ts'
import type { Machine } from '../src/protocol/machine.ts'
import type { Refused } from '../src/protocol/request.ts'
import { ping } from '../src/protocol/requests.ts'
import { prove } from '../src/protocol/scram.ts'
import { type ClientState, emptyState } from '../src/protocol/state.ts'
import { made, shown, vectors } from './vectors.ts'

/** A talk of the Python machine with a server: what it had to log in by, and its steps. */
interface Talk {
  name: string
  secret: string | null
  token: string | null
  steps: {
    now: number
    do: [what: 'connected' | 'lost' | 'tick' | 'lines' | 'ping' | 'close' | 'drain', lines?: string[]]
    events: Record<string, unknown>[]
    lines: string[]
    state: ClientState | null
    deadline: number | null
    phase: string
    drained: boolean
  }[]
}

const NONCE = '0123456789abcdef0123456789abcdef'

function machineOf({ secret, token }: Talk): Machine {
  const state = { ...emptyState('alice', 'web'), token }
  const given = secret?.startsWith('fct_') ? { token: secret } : { password: secret ?? undefined }
  return made({ state, nonce: () => NONCE, ...given })
}

function perform(machine: Machine, [what, lines = []]: Talk['steps'][number]['do'], now: number): void {
  if (what === 'lines') for (const line of lines) machine.received(line, now)
  else if (what === 'ping') machine.ask(ping())
  else if (what === 'connected' || what === 'tick') machine[what](now)
  else machine[what]()
}

/** Return the events of a machine, after it was given the proof that it may have asked for. */
async function events(machine: Machine, now: number): Promise<Event[]> {
  const found: Event[] = []
  for (const event of machine.events()) {
    if (event.type !== 'prove') {
      found.push(event)
      continue
    }
    const { account, password, nonce, challenge } = event
    await prove(account, password, nonce, challenge).then(
      (proof) => machine.proved(nonce, proof, now),
      (error: Refused) => machine.unproved(nonce, error, now),
    )
    found.push(...machine.events())
  }
  return found
}

for (const talk of vectors<Talk[]>('logins')) {
  test(`as in the Python library: ${talk.name}`, async () => {
    const machine = machineOf(talk)
    for (const [at, step] of talk.steps.entries()) {
      const where = `step ${at}: ${JSON.stringify(step.do)}`
      perform(machine, step.do, step.now)
      assert.deepEqual((await events(machine, step.now)).map(shown), step.events, where)
      assert.deepEqual(machine.lines(step.now), step.lines, where)
      const state = machine.changed ? machine.snapshot() : null
      machine.saved()
      assert.deepEqual(state, step.state, where)
      assert.equal(machine.deadline(step.now), step.deadline, where)
      assert.equal(machine.phase, step.phase, where)
      assert.equal(machine.drained, step.drained, where)
    }
  })
}

test('a proof that comes after its connection is passed over', async () => {
  let nonces = 0
  const machine = made({ password: 'pencil', nonce: () => `nonce${++nonces}` })
  const opened = () => {
    machine.connected(0)
    for (const line of ['HELLO fishchat/1 sasl=SCRAM-SHA-256', 'OK HELLO fishchat/1 caps=ack']) {
      machine.received(line, 0)
      machine.lines(0)
    }
  }
  const asked = (challenge: string) => {
    machine.received(`OK SEND_AUTH ${challenge}`, 0)
    const [event] = machine.events()
    assert.equal(event?.type, 'prove')
    return event
  }
  opened()
  const late = asked('r=nonce1x,s=c2FsdA==,i=4096')
  const proof = await prove(late.account, late.password, late.nonce, late.challenge)
  machine.lost()
  machine.proved(late.nonce, proof, 0)
  opened()
  machine.proved(late.nonce, proof, 0)
  machine.unproved(late.nonce, { word: 'AUTH', text: '', extra: {} }, 0)
  assert.deepEqual([machine.lines(0), machine.events(), machine.phase], [[], [], 'entering'])
  const next = asked('r=nonce2x,s=c2FsdA==,i=4096')
  machine.proved(next.nonce, await prove(next.account, next.password, next.nonce, next.challenge), 0)
  assert.match(machine.lines(0).join('\n'), /^SEND_AUTH SCRAM-SHA-256 c=biws,r=nonce2x,p=/)
})

/** Connect a machine up to the first line after the capabilities. */
function entered(machine: Machine): string[] {
  machine.connected(0)
  machine.received('HELLO fishchat/1 sasl=SCRAM-SHA-256', 0)
  machine.lines(0)
  machine.received('OK HELLO fishchat/1 caps=ack', 0)
  return machine.lines(0)
}

test('an account is created first, and the login follows', () => {
  const machine = made({ password: 'a b c d e', create: true, invite: 'fci_x' })
  assert.deepEqual(entered(machine), ['@invite=fci_x CREATE_CLIENT alice a b c d e'])
  machine.received('OK CREATE_CLIENT alice', 0)
  assert.match(machine.lines(0).join('\n'), /^@device=web SEND_AUTH SCRAM-SHA-256 n,,n=alice,r=[0-9a-f]{32}$/)
})

test('an account that may have been created by an attempt without an answer is logged in to', () => {
  for (const [answer, word] of [[null, 'EXISTS'], ['ERR CREATE_CLIENT UNKNOWN no answer', 'INVITATION']] as const) {
    const machine = made({ password: 'a b c d e', create: true })
    entered(machine)
    if (answer) machine.received(answer, 0)
    machine.lost()
    machine.events()
    assert.deepEqual(entered(machine), ['CREATE_CLIENT alice a b c d e'])
    machine.received(`ERR CREATE_CLIENT ${word} no`, 0)
    assert.deepEqual(machine.events(), [])
    assert.match(machine.lines(0).join('\n'), /^@device=web SEND_AUTH /)
  }
})

test('a name that somebody else has ends the sign-up', () => {
  const machine = made({ password: 'a b c d e', create: true })
  entered(machine)
  machine.received('ERR CREATE_CLIENT TRYAGAIN busy', 0)
  machine.lost()
  machine.events()
  entered(machine)
  machine.received('ERR CREATE_CLIENT EXISTS no', 0)
  assert.deepEqual(machine.events().map(shown), [{ type: 'ended', reason: 'refused', error: 'EXISTS', detail: '' }])
})

test('a code is exchanged for a token once, and the token logs in, also on the next connection', () => {
  const machine = made({ code: 'fcc_x' })
  assert.deepEqual(entered(machine), ['REDEEM_CODE alice web fcc_x'])
  machine.received('OK REDEEM_CODE alice token=fct_new', 0)
  assert.deepEqual(machine.lines(0), ['@device=web SEND_CLIENT_ID alice fct_new'])
  machine.lost()
  machine.events()
  assert.deepEqual(entered(machine), ['@device=web SEND_CLIENT_ID alice fct_new'])
})

test('a code that is not valid ends the login', () => {
  const machine = made({ code: 'fcc_x' })
  entered(machine)
  machine.received('ERR REDEEM_CODE AUTH no', 0)
  assert.deepEqual(machine.events().map(shown), [{ type: 'ended', reason: 'refused', error: 'AUTH', detail: '' }])
})

test('secrets that no line can hold are refused before anything is sent', () => {
  assert.throws(() => made({ password: 'a\nQUIT' }), { word: 'PASSWORD' })
  assert.throws(() => made({ token: 'a\nQUIT' }), { word: 'AUTH' })
  assert.throws(() => made({ code: 'a\nQUIT' }), { word: 'AUTH' })
  assert.throws(() => made({ password: 'abc', create: true, invite: '\0' }), { word: 'INVITATION' })
})
