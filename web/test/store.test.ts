import 'fake-indexeddb/auto'

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { IndexedStore } from '../src/engine/indexeddb.ts'
import { MemoryStore } from '../src/engine/memory.ts'
import type { IStore, Writes } from '../src/engine/store.ts'
import type { Message } from '../src/model/types.ts'
import { emptyState } from '../src/protocol/state.ts'

/** One contract, two stores. */
const stores: [string, () => Promise<IStore>][] = [
  ['memory', async () => new MemoryStore()],
  ['IndexedDB', () => IndexedStore.open(`alice${Math.random()}`)],
]

function message(seq: number, text = `text ${seq}`, conversation = '#a'): Message {
  return { id: `${conversation}:7-${seq}`, conversation, epoch: 7, seq, from: 'bob', time: seq, text }
}

function writes(changes: Partial<Writes>): Writes {
  return { kept: [], messages: [], removed: [], outgoing: [], settled: [], ...changes }
}

for (const [name, make] of stores) {
  test(`${name}: pages of messages`, async () => {
    const store = await make()
    const numbers = Array.from({ length: 300 }, (_, at) => at * 3 + 1)
    await store.commit(writes({ messages: [...numbers.map((seq) => message(seq)), message(5, 'other', '#b')] }))
    const seqs = async (...args: Parameters<IStore['range']>) => (await store.range(...args)).map(({ seq }) => seq)
    assert.deepEqual(await seqs('#a', 1, 1000, 3, true), [892, 895, 898])
    assert.deepEqual(await seqs('#a', 1, 1000, 3, false), [1, 4, 7])
    assert.deepEqual(await seqs('#a', 8, 16, 50, true), [10, 13, 16])
    assert.deepEqual(await seqs('#a', 20, 10, 50, true), [])
    assert.equal((await seqs('#a', 1, 900, 200, true)).length, 200)
    assert.equal((await store.get('#a', 4))?.text, 'text 4')
    assert.equal(await store.get('#a', 5), null)
  })

  test(`${name}: one transaction holds everything`, async () => {
    const store = await make()
    const row = { key: 'k', order: 1, conversation: '#a', kind: 'message' as const, text: 'x', time: 1 }
    const state = emptyState('alice', 'web')
    await store.commit(writes({ messages: [message(1), message(2), message(3)], outgoing: [row], state, names: { bob: 'Bob' } }))
    await store.commit(writes({ removed: [['#a', 2]], messages: [message(2, 'again')], settled: ['k'] }))
    const saved = await store.load()
    assert.deepEqual([saved.state, saved.outgoing, saved.names], [state, [], { bob: 'Bob' }])
    assert.deepEqual((await store.range('#a', 1, 9, 9, true)).map(({ text }) => text), ['text 1', 'again'])
  })

  test(`${name}: search, newest first`, async () => {
    const store = await make()
    await store.commit(writes({ messages: [message(1, 'Fish'), message(2, 'none'), message(3, 'a fish'), message(9, '鱼 fish', '#b')] }))
    assert.deepEqual((await store.search('FISH', 10)).map(({ seq }) => seq), [9, 3, 1])
    assert.deepEqual((await store.search('fish', 10, '#a')).map(({ seq }) => seq), [3, 1])
    assert.deepEqual((await store.search('鱼', 10)).map(({ seq }) => seq), [9])
  })
}
