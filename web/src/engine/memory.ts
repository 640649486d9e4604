import type { Message, Outgoing } from '../model/types.ts'
import type { ClientState } from '../protocol/state.ts'
import { holds, type IStore, type Kept, type Saved, type Writes } from './store.ts'

/** The messages of one account in memory, for browsers that give no storage. A reload loses what was not sent. */
export class MemoryStore implements IStore {
  readonly durable = false
  private state: ClientState | null = null
  private names: Record<string, string> = {}
  private readonly kept = new Map<string, Kept>()
  private readonly outgoing = new Map<string, Outgoing>()
  private readonly messages = new Map<string, Map<number, Message>>()

  async load(): Promise<Saved> {
    const outgoing = [...this.outgoing.values()].sort((a, b) => a.order - b.order)
    return structuredClone({ state: this.state, kept: [...this.kept.values()], outgoing, names: this.names })
  }

  async commit(writes: Writes): Promise<void> {
    for (const [id, from] of writes.removed) {
      const rows = this.messages.get(id)
      for (const seq of rows?.keys() ?? []) if (seq >= from) rows?.delete(seq)
    }
    for (const message of structuredClone(writes.messages)) {
      const rows = this.messages.get(message.conversation) ?? new Map<number, Message>()
      this.messages.set(message.conversation, rows.set(message.seq, message))
    }
    for (const kept of structuredClone(writes.kept)) this.kept.set(kept.id, kept)
    for (const key of writes.settled) this.outgoing.delete(key)
    for (const row of structuredClone(writes.outgoing)) this.outgoing.set(row.key, row)
    if (writes.state) this.state = structuredClone(writes.state)
    if (writes.names) this.names = { ...writes.names }
  }

  async get(conversation: string, seq: number): Promise<Message | null> {
    return structuredClone(this.messages.get(conversation)?.get(seq) ?? null)
  }

  async range(conversation: string, first: number, last: number, limit: number, back: boolean): Promise<Message[]> {
    const rows = [...(this.messages.get(conversation)?.values() ?? [])]
      .filter(({ seq }) => first <= seq && seq <= last)
      .sort((a, b) => a.seq - b.seq)
    return structuredClone(back ? rows.slice(-limit) : rows.slice(0, limit))
  }

  async search(text: string, limit: number, conversation?: string): Promise<Message[]> {
    const wanted = text.toLowerCase()
    const all = conversation === undefined ? [...this.messages.values()] : [this.messages.get(conversation) ?? new Map<number, Message>()]
    const rows = all.flatMap((of) => [...of.values()]).filter((one) => holds(one, wanted))
    return structuredClone(rows.sort((a, b) => b.time - a.time).slice(0, limit))
  }

  async erase(): Promise<void> {
    this.state = null
    for (const each of [this.kept, this.outgoing, this.messages]) each.clear()
  }

  close(): void {}
}
