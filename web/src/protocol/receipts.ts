/**
 * Received messages: delivered in order, never twice, and acknowledged only after they have been handled.
 *
 * As `fishchat/client/receipts.py`. Of each conversation: `seen`, the last one delivered; `done`, up to where all are
 * handled; `pushed` and `acked`, the last push and acknowledgement of this connection; `top`, the last one known.
 */
import { compare, formatPosition, higher, parsePosition, type Position, START } from './names.ts'
import type { ClientState } from './state.ts'

/** An acknowledgement is sent after this many messages, or this many seconds after the first of them. */
const BATCH = 32
const DELAY = 0.5
/** How many runs of messages above `done` are kept. */
const RUNS = 512

type Run = [first: Position, last: Position]

class Place {
  seen: Position = START
  done: Position = START
  top: Position = START
  pushed: Position = START
  acked: Position = START
  /** The last number that the server has reported as lost. */
  announced = 0
  /** Runs that need no delivery: sent by this device, or handled by an earlier page. */
  known: Run[] = []
  private before: Position = START
  private covered = 0
  private open: Position[] = []
  private finished: Position[] = []

  /** The position to acknowledge, if any. */
  get due(): Position | null {
    const position = compare(this.done, this.pushed) <= 0 ? this.done : this.pushed
    return compare(position, this.acked) > 0 ? position : null
  }

  get ahead(): Run[] {
    const finished = this.finished.map((one): Run => [one, one])
    return [...this.known, ...finished].sort((one, other) => compare(one[0], other[0]) || compare(one[1], other[1]))
  }

  sent(position: Position): void {
    if (compare(position, this.seen) <= 0) return
    const last = this.known.at(-1)
    if (last && compare([last[1][0], last[1][1] + 1], position) === 0) last[1] = position
    else this.known.push([position, position])
    if (this.known.length > RUNS) this.known.splice(0, this.known.length - RUNS)
  }

  /** Return the numbers that the store must have lost, because a higher epoch uses one of them again; null: none. */
  overtaken(position: Position): Run | null {
    const { top, announced } = this
    this.top = higher(top, position)
    this.announced = 0
    if (position[0] > top[0]) {
      this.before = top
      this.covered = top[1] + 1
    }
    const epoch = this.before[0]
    const number = position[1]
    if (position[0] <= epoch || number >= this.covered) return null
    const first = Math.max(number, announced + 1)
    const last = this.covered - 1
    this.covered = number
    return first <= last ? [[epoch, first], [epoch, last]] : null
  }

  /** Note a push; returns whether the message is new. */
  arrived(position: Position): boolean {
    this.pushed = higher(this.pushed, position)
    if (compare(position, this.seen) <= 0) return false
    this.seen = position
    this.open.push(position)
    if (this.known.some(([first, last]) => compare(first, position) <= 0 && compare(position, last) <= 0)) {
      this.finish(position)
      return false
    }
    return true
  }

  finish(position: Position): void {
    const is = (one: Position) => compare(one, position) === 0
    if (compare(position, this.done) <= 0 || this.finished.some(is)) return
    if (!this.open.some(is)) throw new Error('only a message that was received can be acknowledged')
    this.finished.push(position)
    for (let at = this.finishedAt(); at >= 0; at = this.finishedAt()) {
      this.done = this.open.shift()!
      this.finished.splice(at, 1)
    }
    while (this.known.length && compare(this.known[0]![1], this.done) <= 0) this.known.shift()
  }

  private finishedAt(): number {
    const [first] = this.open
    return first === undefined ? -1 : this.finished.findIndex((one) => compare(one, first) === 0)
  }
}

/** All conversations of a device, and the acknowledgements that are due. */
export class Receipts {
  private readonly places = new Map<string, Place>()
  private dirty = new Map<string, Place>()
  private count = 0
  private since: number | null = null

  save(state: ClientState): void {
    for (const [conversation, place] of this.places) {
      state.done[conversation] = formatPosition(place.done)
      const { ahead } = place
      if (ahead.length) state.ahead[conversation] = ahead.map(([first, last]) => [formatPosition(first), formatPosition(last)])
    }
  }

  restore(state: ClientState): void {
    for (const [conversation, done] of Object.entries(state.done)) {
      const place = this.place(conversation)
      place.seen = place.done = parsePosition(done)
      place.known = (state.ahead[conversation] ?? []).map(([first, last]) => [parsePosition(first), parsePosition(last)])
      place.top = place.known.reduce((top, [, last]) => higher(top, last), place.done)
    }
  }

  private place(conversation: string): Place {
    const found = this.places.get(conversation) ?? new Place()
    this.places.set(conversation, found)
    return found
  }

  lost(): void {
    for (const place of this.places.values()) place.pushed = place.acked = START
    this.clear()
  }

  sent(conversation: string, position: Position): void {
    this.place(conversation).sent(position)
  }

  overtaken(conversation: string, position: Position): Run | null {
    return this.place(conversation).overtaken(position)
  }

  announced(conversation: string, last: number): void {
    this.place(conversation).announced = last
  }

  /** Note a push; returns whether to deliver the message. */
  arrived(conversation: string, position: Position, now: number): boolean {
    const place = this.place(conversation)
    const isNew = place.arrived(position)
    // The server has not received its acknowledgement.
    if (!isNew) this.note(conversation, place, now)
    return isNew
  }

  finish(conversation: string, position: Position, now: number): void {
    const place = this.place(conversation)
    place.finish(position)
    this.note(conversation, place, now)
  }

  private note(conversation: string, place: Place, now: number): void {
    if (place.due === null) return
    this.dirty.set(conversation, place)
    this.count += 1
    this.since ??= now
  }

  get deadline(): number | null {
    return this.since === null ? null : this.since + DELAY
  }

  due(now: number): boolean {
    return this.since !== null && (this.count >= BATCH || now >= this.since + DELAY)
  }

  /** Return the ids to acknowledge now, one for each conversation. */
  take(): string[] {
    const ids: string[] = []
    for (const [conversation, place] of this.dirty) {
      const position = place.due
      if (position === null) continue
      place.acked = position
      ids.push(`${conversation}:${formatPosition(position)}`)
    }
    this.clear()
    return ids
  }

  private clear(): void {
    this.dirty = new Map()
    this.count = 0
    this.since = null
  }
}
