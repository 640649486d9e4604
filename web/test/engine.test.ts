import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import type { Calls, Dialler } from '../src/engine/dialler.ts'
import { Engine } from '../src/engine/engine.ts'
import { MemoryStore } from '../src/engine/memory.ts'
import type { IStore, Writes } from '../src/engine/store.ts'
import type { Change, Conversation, Link, Outgoing } from '../src/model/types.ts'
import { Machine } from '../src/protocol/machine.ts'

/** Lists that are asked for at any time; there is nothing in them. */
const EMPTY = new Set(['REQ_NAMES', 'REQ_TOPICS'])

/** A server at the other end of a wire that the test holds in its hands. */
class Wire {
  calls!: Calls
  sent: string[] = []
  asked: string[] = []
  /** What was not answered yet. Answers come in the order of the requests. */
  private waiting: string[] = []
  readonly dialler = {
    start: (calls: Calls) => {
      this.calls = calls
    },
    send: (lines: string[]) => {
      for (const line of lines) {
        const verb = line.split(' ').find((word) => !word.startsWith('@'))!
        this.asked.push(verb)
        if (!EMPTY.has(verb)) this.sent.push(line)
        if (verb !== 'SEND_ACK') this.waiting.push(verb)
      }
      queueMicrotask(() => this.answer())
    },
    steady() {},
    now() {},
    redial() {},
    move() {},
    stop() {},
  } as unknown as Dialler

  opened(): void {
    this.waiting = []
    this.calls.opened()
  }

  say(...lines: string[]): void {
    for (const line of lines) {
      if (/^(@\S+ )?(OK|ERR|END) /.test(line)) this.waiting.shift()
      this.calls.received(line)
    }
    this.answer()
  }

  private answer(): void {
    const [verb] = this.waiting
    if (verb && EMPTY.has(verb)) this.say(`BEGIN ${verb} 0`, `END ${verb}`)
  }

  take(): string[] {
    return this.sent.splice(0)
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Return when a condition holds; code that is loaded on first use takes longer than any number of turns. */
async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000
  while (!condition()) {
    assert.ok(Date.now() < end, 'it did not happen within 5 s')
    await new Promise((resolve) => setImmediate(resolve))
  }
  await settle()
}

async function begun(t: TestContext, store: IStore = new MemoryStore(), state = null as Awaited<ReturnType<IStore['load']>>['state']) {
  const wire = new Wire()
  const machine = new Machine('alice', 'web', { state })
  const engine = await Engine.start({ account: 'alice', device: 'web', machine, store, dialler: wire.dialler })
  t.after(() => engine.stop())
  const seen = { link: null as Link | null, rows: new Map<string, Conversation>(), waiting: new Map<string, Outgoing[]>(), changes: [] as Change[] }
  engine.subscribe((changes) => {
    for (const change of changes) {
      seen.changes.push(change)
      if (change.kind === 'link') seen.link = change.link
      if (change.kind === 'conversations') for (const row of change.rows) seen.rows.set(row.id, row)
      if (change.kind === 'outgoing') seen.waiting.set(change.conversation, change.rows)
    }
  })
  return { wire, engine, seen, store }
}

/** Log in; `first` answers what was waiting to be sent. */
async function online(wire: Wire, ...first: string[]): Promise<void> {
  wire.opened()
  wire.say('HELLO fishchat/1 server=ms1 auth=open')
  await settle()
  assert.deepEqual(wire.take(), ['HELLO 1 caps=ack,lazy,ops,time'])
  wire.say('OK HELLO fishchat/1 caps=ack,lazy,ops,time')
  await settle()
  assert.deepEqual(wire.take(), ['@device=web SEND_CLIENT_ID alice'])
  wire.say('OK SEND_CLIENT_ID alice', 'RESP_SYNCED')
  await settle()
  assert.equal(wire.take().at(-1), '@limit=100;preview REQ_CONVERSATIONS')
  wire.say(...first)
  await listed(wire)
}

/** Answer that there are no conversations, and await the question for topics. */
async function listed(wire: Wire): Promise<void> {
  wire.asked = []
  wire.say('BEGIN REQ_CONVERSATIONS 0', 'END REQ_CONVERSATIONS')
  await until(() => wire.asked.includes('REQ_TOPICS'))
  wire.take()
}

test('a push is saved, counted and shown, and only then acknowledged', async (t) => {
  const order: string[] = []
  class Watched extends MemoryStore {
    override async commit(writes: Writes): Promise<void> {
      await super.commit(writes)
      if (writes.messages.length) order.push('saved')
    }
  }
  const { wire, engine, seen } = await begun(t, new Watched())
  await online(wire)
  seen.changes.length = 0
  const many = Array.from({ length: 40 }, (_, at) => `@time=${1000 + at} RESP_MESSAGE_TOPIC fishing bob #fishing:7-${at + 1} text ${at}`)
  engine.subscribe((changes) => {
    if (changes.some(({ kind }) => kind === 'messages')) order.push('shown')
  })
  wire.say(...many)
  await settle()
  assert.deepEqual([...new Set(order)], ['saved', 'shown'])
  assert.ok(wire.take().some((line) => line.startsWith('SEND_ACK #fishing:7-')))
  const row = seen.rows.get('#fishing')!
  assert.deepEqual([row.last, row.unread, row.time], [40, 40, 1039])
  const page = await engine.page('#fishing', { newest: true }, 50)
  assert.deepEqual([page.messages.length, page.first, page.last], [40, true, true])
})

test('what is written offline is kept, sent in order, and stands once', async (t) => {
  const first = await begun(t)
  await first.engine.send('alice+bob', 'one')
  await first.engine.send('alice+bob', 'two')
  assert.equal(first.seen.rows.get('alice+bob')?.outgoing, 2)
  // The page is closed before there was a connection; another one finds what was kept.
  first.engine.stop()
  const { state } = await first.store.load()
  const second = await begun(t, first.store, state)
  await online(second.wire, 'ERR SEND_MESSAGE_P2P GAP expected=1 no')
  // The answer is lost with the connection: the same number is sent again.
  second.wire.calls.lost(0)
  await settle()
  second.wire.opened()
  second.wire.say('HELLO fishchat/1 auth=open')
  await settle()
  second.wire.say('OK HELLO fishchat/1 caps=ack,lazy,ops,time')
  await settle()
  second.wire.take()
  second.wire.say('OK SEND_CLIENT_ID alice', 'RESP_SYNCED')
  await settle()
  // Nothing else is sent before it is known whether the first one is stored.
  assert.deepEqual(second.wire.take().filter((line) => line.includes('P2P')), ['@cseq=1 SEND_MESSAGE_P2P bob one'])
  second.wire.say('@time=5 OK SEND_MESSAGE_P2P alice+bob:7-1')
  await settle()
  assert.deepEqual(second.wire.take().filter((line) => line.includes('P2P')), ['@cseq=2 SEND_MESSAGE_P2P bob two'])
  const { messages } = await second.engine.page('alice+bob', { newest: true }, 50)
  assert.deepEqual(messages.map(({ text, time }) => [text, time]), [['one', 5]])
  assert.deepEqual((await second.engine.outgoing('alice+bob')).map(({ text }) => text), ['two'])
})

test('a send that was repeated by hand keeps its text across a reload', async (t) => {
  const first = await begun(t)
  await online(first.wire)
  await first.engine.send('#fishing', 'refused')
  await settle()
  first.wire.say('ERR SEND_MESSAGE_TOPIC GAP expected=1 no')
  await settle()
  first.wire.say('ERR SEND_MESSAGE_TOPIC SLOW until=1 no')
  await settle()
  const [row] = await first.engine.outgoing('#fishing')
  assert.equal(row?.error?.word, 'SLOW')
  first.wire.calls.lost(0)
  await first.engine.send('alice+bob', 'later')
  await first.engine.retry(row.key)
  first.engine.stop()
  const { state } = await first.store.load()
  const second = await begun(t, first.store, state)
  await online(second.wire, 'ERR SEND_MESSAGE_P2P GAP expected=1 no', 'OK SEND_MESSAGE_TOPIC #fishing:7-1')
  second.wire.say('OK SEND_MESSAGE_P2P alice+bob:7-1')
  await settle()
  for (const [conversation, text] of [['alice+bob', 'later'], ['#fishing', 'refused']] as const) {
    const { messages } = await second.engine.page(conversation, { newest: true }, 50)
    assert.deepEqual(messages.map((one) => [one.conversation, one.text]), [[conversation, text]])
  }
})

test('what is written while something is saved is saved together with its send', async (t) => {
  const commits: [rows: number, sends: number | null][] = []
  class Slow extends MemoryStore {
    override async get(...place: Parameters<MemoryStore['get']>) {
      // Something is written while an edit is looked up.
      if (!written) written = begin()
      return super.get(...place)
    }
    override async commit(writes: Writes): Promise<void> {
      await super.commit(writes)
      const saved = await this.load()
      commits.push([saved.outgoing.length, saved.state?.sends.length ?? null])
    }
  }
  let written: Promise<void> | null = null
  let begin: () => Promise<void> = async () => {}
  const { wire, engine } = await begun(t, new Slow())
  await online(wire)
  begin = () => engine.send('alice+bob', 'meanwhile')
  wire.say('RESP_EDIT bob alice+bob:7-2 alice+bob:7-1 another text')
  await settle()
  await written
  assert.ok(commits.some(([rows]) => rows === 1))
  for (const [rows, sends] of commits) assert.equal(rows, sends ?? 0)
})

test('what waits without a send of this device is shown as failed', async (t) => {
  const first = await begun(t)
  await first.engine.send('alice+bob', 'left behind')
  first.engine.stop()
  // The browser logged in anew: it is another device, which knows nothing of the number.
  const second = await begun(t, first.store, null)
  assert.deepEqual((await second.engine.outgoing('alice+bob')).map(({ text, error }) => [text, error?.word]), [['left behind', 'UNKNOWN']])
  await second.engine.send('alice+bob', 'new')
  await online(second.wire, 'ERR SEND_MESSAGE_P2P GAP expected=1 no')
  second.wire.say('OK SEND_MESSAGE_P2P alice+bob:7-1')
  await settle()
  const { messages } = await second.engine.page('alice+bob', { newest: true }, 50)
  assert.deepEqual(messages.map(({ text }) => text), ['new'])
})

test('lines of a lost connection are not sent on the next one', async (t) => {
  let finish = () => {}
  class Held extends MemoryStore {
    isHeld = false
    override async commit(writes: Writes): Promise<void> {
      if (this.isHeld) await new Promise<void>((resolve) => (finish = resolve))
      await super.commit(writes)
    }
  }
  const store = new Held()
  const { wire, engine } = await begun(t, store)
  await online(wire)
  store.isHeld = true
  void engine.send('alice+bob', 'hello')
  await settle()
  wire.calls.lost(0)
  wire.calls.opened()
  store.isHeld = false
  finish()
  await settle()
  assert.deepEqual(wire.take(), [])
})

test('any name and any reaction is a word like others', async (t) => {
  const { wire, engine, seen } = await begun(t)
  await online(wire)
  wire.say(
    'RESP_MESSAGE_P2P constructor alice+constructor:7-1 hello',
    'RESP_MESSAGE_P2P __proto__ __proto__+alice:7-1 hello',
    'RESP_REACTION bob alice+constructor:7-2 alice+constructor:7-1 + constructor',
    'RESP_REACTION bob alice+constructor:7-3 alice+constructor:7-1 + __proto__',
  )
  await settle()
  for (const id of ['alice+constructor', '__proto__+alice']) assert.equal(seen.rows.get(id)?.name, '')
  const { messages } = await engine.page('alice+constructor', { newest: true }, 50)
  assert.deepEqual(Object.entries(messages[0]?.reactions ?? {}), [['constructor', 1], ['__proto__', 1]])
})

test('operations change what is held', async (t) => {
  const { wire, engine } = await begun(t)
  await online(wire)
  wire.say(
    'RESP_MESSAGE_P2P bob alice+bob:7-1 hello',
    'RESP_MESSAGE_P2P bob alice+bob:7-2 secret',
    'RESP_EDIT bob alice+bob:7-3 alice+bob:7-1 hello there',
    'RESP_REACTION bob alice+bob:7-4 alice+bob:7-1 + 👍',
    'RESP_PIN bob alice+bob:7-5 alice+bob:7-1 +',
    'RESP_RECALL bob alice+bob:7-6 alice+bob:7-2',
  )
  await settle()
  const { messages } = await engine.page('alice+bob', { newest: true }, 50)
  assert.deepEqual(
    messages.map(({ text, reactions, pinned, recalled }) => ({ text, reactions, pinned, recalled: recalled?.by })),
    [
      { text: 'hello there', reactions: { '👍': 1 }, pinned: true, recalled: undefined },
      { text: '', reactions: undefined, pinned: false, recalled: 'bob' },
    ],
  )
})

test('a hole is read from the server, once', async (t) => {
  const { wire, engine } = await begun(t)
  await online(wire)
  wire.say('RESP_BEHIND alice+bob 1 3', 'RESP_MESSAGE_P2P bob alice+bob:7-4 four')
  await settle()
  // How many of these are unread, the list tells.
  assert.equal(wire.take().at(-1), '@limit=100;preview REQ_CONVERSATIONS')
  await listed(wire)
  const asked = engine.page('alice+bob', { newest: true }, 50)
  await settle()
  assert.deepEqual(wire.take(), ['@limit=49;before=alice+bob:7-4 REQ_HISTORY alice+bob'])
  wire.say('BEGIN REQ_HISTORY 2', 'ITEM alice+bob:7-1 bob 10 one', 'ITEM alice+bob:7-3 alice 11 three', 'END REQ_HISTORY')
  const page = await asked
  assert.deepEqual(page.messages.map(({ text }) => text), ['one', 'three', 'four'])
  const again = await engine.page('alice+bob', { newest: true }, 50)
  assert.deepEqual([again.messages.length, again.first, wire.take().length], [3, true, 0])
})

test('lost numbers are used again: the later message stands', async (t) => {
  const { wire, engine } = await begun(t)
  await online(wire)
  wire.say('RESP_MESSAGE_P2P bob alice+bob:7-1 one', 'RESP_MESSAGE_P2P bob alice+bob:7-2 lost')
  await settle()
  wire.say('RESP_GAP alice+bob 2 2', 'RESP_MESSAGE_P2P bob alice+bob:8-2 two')
  await settle()
  const { messages } = await engine.page('alice+bob', { newest: true }, 50)
  assert.deepEqual(messages.map(({ text }) => text), ['one', 'two'])
})

test('a store that cannot write ends the engine before anything is acknowledged', async (t) => {
  class Full extends MemoryStore {
    isFull = false
    override async commit(writes: Writes): Promise<void> {
      if (this.isFull) throw new Error('QuotaExceededError')
      await super.commit(writes)
    }
  }
  const store = new Full()
  const { wire, seen } = await begun(t, store)
  await online(wire)
  store.isFull = true
  wire.say(...Array.from({ length: 40 }, (_, at) => `RESP_MESSAGE_P2P bob alice+bob:7-${at + 1} x`))
  await settle()
  assert.deepEqual(wire.take(), [])
  assert.deepEqual([seen.link?.state, seen.link?.why], ['ended', 'storage'])
})
