/**
 * The numbering of one device's sends to one conversation, so that each is stored once and in order.
 *
 * As `fishchat/client/sends.py`, which says why this is right: a number is used up only by what is stored under it, so a
 * lane keeps every send until its `OK` and repeats it under the same number while it may be stored. After any reply but
 * `OK` it sends nothing until all that is on the wire is answered, and then decides.
 */
import { readNumber } from './fields.ts'
import { type Refused, type Reply, retryOf } from './request.ts'
import type { SavedSend } from './state.ts'
import { withTag } from './lines.ts'

/** Seconds before a retry if the server named none. */
export const RETRY = 1
/** This many INTERNAL replies to one send count as its refusal. */
const FAULTS = 3

/** One message or operation that has no `OK` yet; `line` is its command without the number. */
export interface Item {
  key: number
  verb: string
  line: string
  saved: SavedSend
  cseq: number | null
  /** Whether it may be stored under `cseq`. */
  doubt: boolean
  /** It was refused, but an earlier attempt may be stored; whether it was tried once more after that. */
  refusal: Refused | null
  again: boolean
  /** How many INTERNAL replies it got. */
  faults: number
}

/** What a lane says of a send: the id and the time of the stored one (empty, 0 if not known any more), or the error. */
export type Outcome = { id: string; time: number } | { error: Refused }

/** A send on the wire. Number 0 asks for the counter: it is never stored. */
export class Flight {
  readonly lane: Lane
  readonly item: Item
  readonly cseq: number

  constructor(lane: Lane, item: Item, cseq: number) {
    this.lane = lane
    this.item = item
    this.cseq = cseq
  }

  get verb(): string {
    return this.item.verb
  }

  get line(): string {
    return withTag(this.item.line, `cseq=${this.cseq}`)
  }

  answered(reply: Reply, now: number): void {
    this.lane.answered(this, reply, now)
  }
}

/** The sends of this device to one conversation. `next`: the next number; null while the server's counter is unknown. */
export class Lane {
  next: number | null = null
  notBefore = 0
  private readonly settle: (item: Item, outcome: Outcome) => void
  private waiting: Item[] = []
  private flying: Item[] = []
  private back: Item[] = []
  private stalled = false
  private probing = false
  /** Until the first OK only one send is on the wire, so that a wrong counter cannot break the order. */
  private sure = false
  private expected: number | null = null
  private unknown = false
  private troubles = 0

  constructor(settle: (item: Item, outcome: Outcome) => void) {
    this.settle = settle
  }

  add(item: Item): void {
    this.waiting.push(item)
  }

  /** Return all sends that have no reply yet, in order. */
  items(): Item[] {
    return [...this.back, ...this.flying, ...this.waiting]
  }

  get isEmpty(): boolean {
    return !this.waiting.length && !this.flying.length && !this.back.length
  }

  /** Whether nothing waits to be sent; what was sent may wait for its reply. */
  get idle(): boolean {
    return !this.waiting.length
  }

  /** The send that was added last; only if none was launched since. */
  get last(): Item {
    return this.waiting.at(-1)!
  }

  /** The key of the next send; only while not idle. */
  get order(): number {
    return this.waiting[0]!.key
  }

  ready(now: number): boolean {
    if (!this.waiting.length || this.stalled || this.probing || now < this.notBefore) return false
    return !this.flying.length || (this.sure && this.next !== null)
  }

  launch(): Flight {
    const item = this.waiting[0]!
    if (this.next === null && (item.cseq === null || !item.doubt || item.refusal !== null)) {
      this.probing = true
      return new Flight(this, item, 0)
    }
    this.waiting.shift()
    if (this.next !== null) {
      item.cseq ??= this.next
      this.next = Math.max(this.next, item.cseq + 1)
    }
    this.flying.push(item)
    return new Flight(this, item, item.cseq!)
  }

  /** The connection is lost: all that was on the wire may be stored. */
  lost(): void {
    for (const item of this.flying) item.doubt = true
    this.waiting = this.items()
    this.flying = []
    this.back = []
    if (this.expected !== null) this.next = this.expected = null
    this.stalled = this.probing = this.sure = this.unknown = false
  }

  answered(flight: Flight, reply: Reply, now: number): void {
    const { item, cseq } = flight
    const { error } = reply
    if (cseq === 0) {
      if (error === null) throw new Error('number 0 is never stored')
      this.probing = false
      this.probed(item, error, now)
      return
    }
    this.flying.shift()
    if (error === null) this.accepted(item, cseq, reply.rest, Number(reply.tags.time ?? 0))
    else {
      this.stalled = true
      this.failed(item, cseq, error, now)
    }
    if (this.stalled && !this.flying.length) this.drained(now)
  }

  private accepted(item: Item, cseq: number, id: string, time: number): void {
    this.sure = true
    this.troubles = 0
    if (this.expected !== null) this.expected = Math.max(this.expected, cseq + 1)
    this.settle(item, { id, time })
  }

  private failed(item: Item, cseq: number, error: Refused, now: number): void {
    this.back.push(item)
    switch (error.word) {
      case 'GAP':
        this.expected = expectedOf(error)
        break
      case 'CONFLICT':
        this.expected = expectedOf(error)
        item.cseq = null
        item.doubt = false
        break
      case 'OLD':
        if (item.doubt) {
          this.back.pop()
          this.accepted(item, cseq, '', 0)
        } else {
          item.cseq = null
          this.next = null
        }
        break
      default:
        if (error.word === 'UNKNOWN' || error.word === 'INTERNAL') this.unknown = item.doubt = true
        if (!this.isTransient(item, error, now)) this.refused(item, cseq, error)
    }
  }

  private refused(item: Item, cseq: number, error: Refused): void {
    if (item.doubt) {
      // An earlier attempt may be stored: the counter shows it.
      item.refusal = error
      this.next = null
      return
    }
    // The number is not used up: those after it are answered by GAP with this number.
    if (this.next === cseq + 1) this.next = cseq
    this.back.pop()
    this.settle(item, { error })
  }

  /** Whether an error passes; if so, the lane waits. */
  private isTransient(item: Item, error: Refused, now: number): boolean {
    const retry = retryOf(error)
    if (error.word === 'INTERNAL') {
      item.faults += 1
      if (item.faults >= FAULTS) return false
    } else if (error.word !== 'TRYAGAIN' && error.word !== 'UNKNOWN' && retry === null) return false
    this.notBefore = Math.max(this.notBefore, now + (retry ?? RETRY))
    return true
  }

  private drained(now: number): void {
    this.waiting.unshift(...this.back)
    this.back = []
    const { expected, unknown } = this
    this.expected = null
    this.unknown = this.stalled = false
    if (expected === null) return
    if (unknown) this.next = null
    else this.align(expected, now)
    this.sure = false
  }

  private probed(item: Item, error: Refused, now: number): void {
    if (error.word === 'GAP') {
      this.align(expectedOf(error), now)
      this.sure = true
    } else if (this.isTransient(item, error, now)) {
      return
    } else if (item.refusal?.word === 'INTERNAL' && item.cseq !== null) {
      // INTERNAL does not show whether it is stored; the reply under its own number does.
      item.refusal = null
      this.notBefore = Math.max(this.notBefore, now + RETRY)
    } else {
      this.waiting.shift()
      this.settle(item, { error: item.refusal ?? error })
    }
  }

  /** Number all sends anew from the server's counter. Nothing is on the wire. */
  private align(number: number, now: number): void {
    const settled: [Item, Outcome][] = []
    const waiting: Item[] = []
    for (const item of this.waiting) {
      const maybe = item.doubt && item.cseq !== null && item.cseq < number
      if (item.refusal !== null) {
        if (item.again || !maybe) {
          settled.push([item, maybe ? { id: '', time: 0 } : { error: item.refusal }])
          continue
        }
        // Its number is used. If this send has it, a repetition returns the id, unless it is refused too.
        item.refusal = null
        item.again = true
      }
      if (!maybe) {
        item.cseq = null
        item.doubt = false
      }
      waiting.push(item)
    }
    this.waiting = waiting
    this.next = number
    this.troubles += 1
    // No tight loop with a server that contradicts itself.
    if (this.troubles > 2) this.notBefore = Math.max(this.notBefore, now + Math.min(0.05 * 2 ** Math.min(this.troubles, 10), 5))
    for (const [item, outcome] of settled) this.settle(item, outcome)
  }
}

/** Return the number that the server expects next. Fails if the error names none. */
function expectedOf({ extra }: Refused): number {
  const number = readNumber(extra.expected)
  if (number < 1) throw new Error('no number')
  return number
}
