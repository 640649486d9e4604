/** All commands that wait to be sent: the lanes of numbered sends, and other commands, in the order of the user. */
import { formatTags, type Tags } from './lines.ts'
import { isName, p2p } from './names.ts'
import { idOf, mentionOf, messageText, nameOf, type Numbered, type Refused, refused, type Reply, type Request, retryOf } from './request.ts'
import { type Flight, type Item, Lane, type Outcome, RETRY } from './sends.ts'
import type { ClientState, SavedSend } from './state.ts'

/** A command of the user that is not a send. `unsure`: an earlier attempt may have succeeded. */
export class Errand {
  readonly key: number
  readonly request: Request<unknown>
  unsure = false
  private readonly outbox: Outbox

  constructor(key: number, request: Request<unknown>, outbox: Outbox) {
    this.key = key
    this.request = request
    this.outbox = outbox
  }

  get verb(): string {
    return this.request.verb
  }

  get line(): string {
    return this.request.line
  }

  answered(reply: Reply, now: number): void {
    this.outbox.errandAnswered(this, reply, now)
  }
}

/** What the outbox tells of each command, once. */
export interface Settler {
  settled(key: number, value: unknown, error: Refused | null, time: number): void
  /** A message is stored; the id of an operation may be that of another device. */
  stored(conversation: string, id: string): void
}

/** The commands that have no final reply yet. */
export class Outbox {
  /** Whether there is something new to save. */
  changed = false
  private readonly account: string
  private readonly settler: Settler
  private keys = 0
  private readonly lanes = new Map<string, Lane>()
  private readonly busy = new Map<string, Lane>()
  private errands: Errand[] = []
  private errandsAt = 0

  constructor(account: string, settler: Settler) {
    this.account = account
    this.settler = settler
  }

  /** Queue a message to an account or a `#topic`, and return its key. Fails with `Refused`. */
  send(to: string, text: string, reply?: string, mention?: string[]): number {
    const isTopic = to.startsWith('#')
    const name = nameOf(isTopic ? to.slice(1) : to)
    const conversation = isTopic ? to : p2p(this.account, name)
    const verb = isTopic ? 'SEND_MESSAGE_TOPIC' : 'SEND_MESSAGE_P2P'
    const raw = messageText(text)
    if (!raw.text) throw refused('FIELDS')
    const tags: Tags = { ...raw.tags }
    if (reply !== undefined) tags.reply = idOf(reply)
    if (mention !== undefined) {
      if (!isTopic) throw refused('BADTAG')
      tags.mention = mentionOf(mention)
    }
    const saved: SavedSend = { to, text, ...(reply === undefined ? {} : { reply }), ...(mention === undefined ? {} : { mention }) }
    return this.add(conversation, verb, `${formatTags(tags)}${verb} ${name} ${raw.text}`, saved)
  }

  /** Queue an operation on a message, after all sends to its conversation. */
  operate({ conversation, verb, line }: Numbered): number {
    return this.add(conversation, verb, line, { to: conversation, text: '', line })
  }

  private add(conversation: string, verb: string, line: string, saved: SavedSend): number {
    const key = ++this.keys
    const lane = this.lane(conversation)
    this.busy.set(conversation, lane)
    lane.add({ key, verb, line, saved, cseq: null, doubt: false, refusal: null, again: false, faults: 0 })
    this.changed = true
    return key
  }

  /** Queue another command. */
  ask(request: Request<unknown>): number {
    const errand = new Errand(++this.keys, request, this)
    this.errands.push(errand)
    return errand.key
  }

  private lane(conversation: string): Lane {
    const found = this.lanes.get(conversation)
    if (found) return found
    const lane = new Lane((item, outcome) => this.settle(conversation, item, outcome))
    this.lanes.set(conversation, lane)
    return lane
  }

  private settle(conversation: string, item: Item, outcome: Outcome): void {
    this.changed = true
    if (this.lanes.get(conversation)!.isEmpty) this.busy.delete(conversation)
    if ('error' in outcome) {
      this.settler.settled(item.key, null, outcome.error, 0)
      return
    }
    this.settler.settled(item.key, outcome.id, null, outcome.time)
    if (outcome.id && item.saved.line === undefined) this.settler.stored(conversation, outcome.id)
  }

  /** Return the next command to send, the oldest of the user first; null if none may be sent now. */
  take(now: number): Flight | Errand | null {
    let lane: Lane | null = null
    for (const one of this.busy.values()) if (one.ready(now) && (lane === null || one.order < lane.order)) lane = one
    const errand = this.errands.length && now >= this.errandsAt ? this.errands[0]! : null
    if (lane !== null && (errand === null || lane.order < errand.key)) {
      this.changed = true
      return lane.launch()
    }
    if (errand !== null) this.errands.shift()
    return errand
  }

  errandAnswered(errand: Errand, reply: Reply, now: number): void {
    const { error } = reply
    const { key, request } = errand
    if (error === null) {
      let value: unknown
      try {
        value = request.result(reply)
      } catch (wrong) {
        const text = `the server's answer is no part of the protocol: ${wrong}`
        this.settler.settled(key, null, refused('INTERNAL', text), 0)
        return
      }
      this.settler.settled(key, value, null, 0)
    } else if (errand.unsure && error.word === request.settled) {
      this.settler.settled(key, null, null, 0)
    } else if (error.word === 'TRYAGAIN' || error.word === 'UNKNOWN' || retryOf(error) !== null) {
      errand.unsure ||= error.word === 'UNKNOWN'
      this.errandsAt = now + (retryOf(error) ?? RETRY)
      this.putBack(errand)
    } else {
      this.settler.settled(key, null, error, 0)
    }
  }

  private putBack(errand: Errand): void {
    this.errands.push(errand)
    this.errands.sort((one, other) => one.key - other.key)
  }

  /** The connection is lost, and with it the replies to all that is on the wire. */
  lost(unanswered: Errand[]): void {
    for (const errand of unanswered) {
      errand.unsure = true
      this.putBack(errand)
    }
    for (const lane of this.busy.values()) lane.lost()
  }

  /** Drop a command that was not sent yet, or whose reply nobody waits for any more. */
  forget(key: number): void {
    this.errands = this.errands.filter((errand) => errand.key !== key)
  }

  /** Return when the next delayed command may be sent; null if none is delayed. */
  deadline(now: number): number | null {
    const times = [...this.busy.values()].filter((lane) => !lane.idle).map((lane) => lane.notBefore)
    if (this.errands.length) times.push(this.errandsAt)
    const later = times.filter((time) => time > now)
    return later.length ? Math.min(...later) : null
  }

  /** Write counters and unanswered sends into a state. */
  save(state: ClientState): void {
    for (const [conversation, lane] of this.lanes) if (lane.next !== null) state.counters[conversation] = lane.next
    const all = [...this.busy.values()].flatMap((lane) => lane.items()).sort((one, other) => one.key - other.key)
    state.sends.push(...all.map(({ saved, cseq }) => ({ ...saved, ...(cseq === null ? {} : { cseq }) })))
  }

  /** Continue from a state. A send that had a number may be stored under it. Its keys are 1, 2, 3, … */
  restore(state: ClientState): void {
    for (const [conversation, number] of Object.entries(state.counters)) this.lane(conversation).next = number
    for (const saved of state.sends) {
      const item = this.restored(saved)
      item.cseq = saved.cseq ?? null
      item.doubt = item.cseq !== null
    }
    this.changed = false
  }

  private restored(saved: SavedSend): Item {
    const { to, text, reply, mention, line } = saved
    if (line !== undefined) {
      const command = line.startsWith('@') ? line.slice(line.indexOf(' ') + 1) : line
      this.operate({ conversation: to, verb: command.split(' ', 1)[0]!, line })
      return this.lane(to).last
    }
    this.send(to, text, reply, mention)
    return this.lane(isName(to) ? p2p(this.account, to) : to).last
  }
}
