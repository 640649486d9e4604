import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb'

import type { Message, Outgoing } from '../model/types.ts'
import type { ClientState } from '../protocol/state.ts'
import { holds, type IStore, type Kept, type Saved, type Writes } from './store.ts'

interface Schema extends DBSchema {
  messages: { key: [string, number]; value: Message }
  conversations: { key: string; value: Kept }
  outgoing: { key: string; value: Outgoing }
  values: { key: string; value: unknown }
}

const STORES = ['messages', 'conversations', 'outgoing', 'values'] as const
/** How many messages a search reads at once. */
const STRIDE = 2000

/** The messages of one account in IndexedDB. */
export class IndexedStore implements IStore {
  readonly durable = true
  private readonly db: IDBPDatabase<Schema>

  private constructor(db: IDBPDatabase<Schema>) {
    this.db = db
  }

  /** Open the store of an account. Fails where the browser gives none. `lost` is called when it is taken away. */
  static async open(account: string, lost: () => void = () => {}): Promise<IndexedStore> {
    const db = await openDB<Schema>(nameOf(account), 1, {
      upgrade(fresh) {
        fresh.createObjectStore('messages', { keyPath: ['conversation', 'seq'] })
        fresh.createObjectStore('conversations', { keyPath: 'id' })
        fresh.createObjectStore('outgoing', { keyPath: 'key' })
        fresh.createObjectStore('values')
      },
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      terminated: lost,
    })
    return new IndexedStore(db)
  }

  async load(): Promise<Saved> {
    const tx = this.db.transaction(['conversations', 'outgoing', 'values'])
    const [kept, outgoing, state, names] = await Promise.all([
      tx.objectStore('conversations').getAll(),
      tx.objectStore('outgoing').getAll(),
      tx.objectStore('values').get('state'),
      tx.objectStore('values').get('names'),
    ])
    outgoing.sort((a, b) => a.order - b.order)
    return {
      state: (state as ClientState | undefined) ?? null,
      kept,
      outgoing,
      names: (names as Record<string, string> | undefined) ?? {},
    }
  }

  async commit(writes: Writes): Promise<void> {
    // Strict: on disk before anything is sent or acknowledged that depends on it.
    const tx = this.db.transaction(STORES, 'readwrite', { durability: 'strict' })
    const messages = tx.objectStore('messages')
    for (const [id, from] of writes.removed) void messages.delete(IDBKeyRange.bound([id, from], [id, Infinity]))
    for (const message of writes.messages) void messages.put(message)
    for (const kept of writes.kept) void tx.objectStore('conversations').put(kept)
    for (const key of writes.settled) void tx.objectStore('outgoing').delete(key)
    for (const row of writes.outgoing) void tx.objectStore('outgoing').put(row)
    if (writes.state) void tx.objectStore('values').put(writes.state, 'state')
    if (writes.names) void tx.objectStore('values').put(writes.names, 'names')
    await tx.done
  }

  async get(conversation: string, seq: number): Promise<Message | null> {
    return (await this.db.get('messages', [conversation, seq])) ?? null
  }

  async range(conversation: string, first: number, last: number, limit: number, back: boolean): Promise<Message[]> {
    if (last < first) return []
    const between = IDBKeyRange.bound([conversation, first], [conversation, last])
    if (!back) return this.db.getAll('messages', between, limit)
    const found: Message[] = []
    const tx = this.db.transaction('messages')
    // A guess of where the page begins: numbers have few holes, and one call is faster than a cursor.
    const near = await tx.store.getAll(IDBKeyRange.bound([conversation, Math.max(first, last - 2 * limit)], [conversation, last]))
    if (near.length >= limit || last - 2 * limit <= first) return near.slice(-limit)
    for (let at = await tx.store.openCursor(between, 'prev'); at && found.length < limit; at = await at.continue()) {
      found.push(at.value)
    }
    return found.reverse()
  }

  async search(text: string, limit: number, conversation?: string): Promise<Message[]> {
    const wanted = text.toLowerCase()
    let found: Message[] = []
    const end: [string, number] = [conversation ?? '\uffff', Infinity]
    let after: IDBKeyRange | null = conversation === undefined ? null : IDBKeyRange.bound([conversation, 0], end)
    for (;;) {
      const some: Message[] = await this.db.getAll('messages', after, STRIDE)
      found.push(...some.filter((message) => holds(message, wanted)))
      found = found.sort((a, b) => b.time - a.time).slice(0, limit)
      const last = some.at(-1)
      if (!last || some.length < STRIDE) return found
      after = IDBKeyRange.bound([last.conversation, last.seq], end, true)
    }
  }

  async erase(): Promise<void> {
    const { name } = this.db
    this.db.close()
    await deleteDB(name)
  }

  close(): void {
    this.db.close()
  }
}

function nameOf(account: string): string {
  return `fishchat:${account}`
}
