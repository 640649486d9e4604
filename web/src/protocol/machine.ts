/**
 * The client's side of the line protocol: takes lines and the time, returns events and the lines to send.
 *
 * The TypeScript twin of `fishchat/client/machine.py`: shared vectors hold both to the same behaviour. It has no
 * transport and no clock. Its driver calls `connected`, `received`, `tick` and `lost`, then takes `events()`, then
 * `lines(now)`, saves `snapshot()` while `changed`, writes the lines, and calls `tick` at `deadline()`. Seconds count.
 */
import type { Event, MessageEvent, NoticeEvent, OperationEvent, RangeEvent } from './events.ts'
import { parseTags, type Tags } from './lines.ts'
import { Login, type Secrets, type Step } from './login.ts'
import { splitId } from './names.ts'
import { Errand, Outbox } from './outbox.ts'
import { parsePush, type Told } from './pushes.ts'
import { Ranges } from './ranges.ts'
import { Receipts } from './receipts.ts'
import { type Numbered, parseError, type Refused, type Reply, type Request, retryOf } from './request.ts'
import type { Proof } from './scram.ts'
import { type ClientState, emptyState } from './state.ts'

/** The most commands on the wire without a reply. */
const WINDOW = 32
/** Seconds of silence before a ping, and before the connection is dropped while a command is unanswered. */
const QUIET = 30
const PATIENCE = 10
/** The capabilities to ask for besides `ack`. */
const CAPABILITIES = ['lazy', 'ops', 'time']

/** Errors without a verb that answer an unreadable line of ours; all others without a verb are about the connection. */
const UNREAD = new Set(['BADUTF8', 'NUL', 'CONTROL', 'TOOLONG', 'UNKNOWN_VERB', 'SERVER_VERB', 'FIELDS', 'BADTAG'])
/** Refusals of a login that may not happen on another server or at another time. */
const PASSING = new Set(['TRYAGAIN', 'UNKNOWN', 'FLOOD', 'BUSY', 'INTERNAL', 'STATE'])

export type Phase = 'away' | 'greeting' | 'entering' | 'online' | 'closing' | 'broken' | 'ended'

/** A command on the wire. */
interface Pending {
  readonly verb: string
  answered(reply: Reply, now: number): void
}

/** What a machine may be given besides its account and device. */
export interface Options extends Secrets {
  state?: ClientState | null
  /** Returns a part of a nonce that was never used before. */
  nonce?: () => string
  /** The capabilities to ask for besides `ack`. */
  capabilities?: string[]
}

/** One device of one account. Messages are acknowledged when they were taken by `events` and the state was saved. */
export class Machine {
  readonly account: string
  readonly device: string
  phase: Phase = 'away'
  private readonly login: Login
  private readonly outbox: Outbox
  private readonly receipts = new Receipts()
  private readonly ranges = new Ranges()
  private waiting: Event[] = []
  private first: string[] = []
  private fifo: Pending[] = []
  private reply: Reply = emptyReply()
  private draining = false
  private saidQuit = false
  private heard = 0
  /** When the oldest unanswered command was sent, or earlier; whether none was unanswered at the last look. */
  private asked = 0
  private idle = true
  private giveUp: number | null = null
  private loginAt: number | null = null
  private dirty = false

  constructor(account: string, device: string, options: Options = {}) {
    this.account = account
    this.device = device
    const { state, nonce = randomNonce, capabilities = CAPABILITIES, ...secrets } = options
    this.login = new Login(account, device, secrets, capabilities, nonce)
    this.outbox = new Outbox(account, {
      settled: (key, value, error, time) => this.waiting.push({ type: 'settled', key, value, error, time }),
      stored: (conversation, id) => this.stored(conversation, id),
    })
    if (state) this.restore(state)
  }

  // Calls of the user. Each fails with `Refused` if no server could accept it.

  /** Queue a message and return its key; one `settled` with the id or the refusal follows. */
  send(to: string, text: string, reply?: string, mention?: string[]): number {
    return this.outbox.send(to, text, reply, mention)
  }

  /** Queue an operation on a message and return its key. */
  operate(operation: Numbered): number {
    return this.outbox.operate(operation)
  }

  /** Queue another command and return its key. */
  ask(request: Request<unknown>): number {
    return this.outbox.ask(request)
  }

  /** Drop a request that was not sent yet. */
  forget(key: number): void {
    this.outbox.forget(key)
  }

  /** Log in by this password from now on. */
  renew(password: string): void {
    this.login.renew(password)
  }

  /** Send no new commands on this connection: it can be dropped without doubt when `drained`. */
  drain(): void {
    this.draining = true
  }

  get drained(): boolean {
    return this.draining && !this.fifo.length
  }

  /** Send the acknowledgements that are due, and QUIT; `ended` follows. */
  close(): void {
    if (this.phase === 'online') this.phase = 'closing'
    else if (this.phase !== 'closing' && this.phase !== 'ended') this.end('stopped')
  }

  // What happens to the connection.

  connected(now: number): void {
    this.phase = 'greeting'
    this.login.connected()
    this.heard = now
    this.giveUp = now + PATIENCE
  }

  /** The connection is lost: commands without a reply are sent again on the next one. */
  lost(): void {
    this.outbox.lost(this.fifo.filter((one) => one instanceof Errand))
    this.receipts.lost()
    this.fifo = []
    this.first = []
    this.reply = emptyReply()
    this.draining = this.saidQuit = false
    this.giveUp = this.loginAt = null
    if (this.phase === 'closing') this.end('stopped')
    else if (this.phase !== 'ended') this.phase = 'away'
  }

  /** Take a line of the server, without its ending. */
  received(line: string, now: number): void {
    if (this.phase === 'away' || this.phase === 'broken' || this.phase === 'ended') return
    this.heard = now
    if (this.phase === 'online' || this.phase === 'closing') this.giveUp = null
    try {
      this.take(line, now)
    } catch (error) {
      this.break(`a line that is no part of the protocol (${(error as Error).message}): ${line.slice(0, 80)}`)
    }
  }

  /** Do all that is due. */
  tick(now: number): void {
    if (this.giveUp !== null && now >= this.giveUp) this.break('the server is silent')
    else if (this.fifo.length && now >= this.overdue) this.break('the server does not answer')
    else if (this.loginAt !== null && now >= this.loginAt) {
      this.loginAt = null
      this.step(() => this.login.again(), now)
    } else if (this.phase === 'online' && this.giveUp === null && now >= this.heard + QUIET) {
      this.giveUp = now + PATIENCE
      this.ping()
    }
  }

  /** Take the proof that the `prove` event with this nonce asked for. */
  proved(nonce: string, proof: Proof, now: number): void {
    if (this.phase === 'entering' && this.login.awaits(nonce)) this.step(() => this.login.proved(proof), now)
  }

  /** The proof that the `prove` event with this nonce asked for could not be made. */
  unproved(nonce: string, error: Refused, now: number): void {
    if (this.phase === 'entering' && this.login.awaits(nonce)) this.keptOut(error, now)
  }

  // Output.

  events(): Event[] {
    const events = this.waiting
    this.waiting = []
    return events
  }

  /** Return the lines to send now, without their endings. */
  lines(now: number): string[] {
    const lines = this.first
    this.first = []
    if (this.phase === 'online' && !this.draining) {
      while (this.fifo.length < WINDOW) {
        const command = this.outbox.take(now)
        if (command === null) break
        this.fifo.push(command)
        lines.push(command.line)
      }
    }
    const isClosing = this.phase === 'closing'
    if (isClosing || (this.phase === 'online' && (this.draining || this.receipts.due(now)))) {
      lines.push(...this.receipts.take().map((id) => `SEND_ACK ${id}`))
    }
    if (isClosing && !this.saidQuit) {
      this.saidQuit = true
      lines.push('QUIT')
      this.fifo.push({ verb: 'QUIT', answered: () => this.end('stopped') })
    }
    if (this.idle) this.asked = now
    this.idle = !this.fifo.length
    return lines
  }

  private get overdue(): number {
    return Math.max(this.heard, this.asked) + PATIENCE
  }

  /** Return the latest time for the next `tick` and `lines`; null: only after something else happens. */
  deadline(now: number): number | null {
    const times = [this.giveUp, this.loginAt]
    if (this.fifo.length) times.push(this.overdue)
    if (this.phase === 'online') {
      times.push(this.receipts.deadline, this.outbox.deadline(now))
      if (this.giveUp === null) times.push(this.heard + QUIET)
    }
    const known = times.filter((time) => time !== null)
    return known.length ? Math.min(...known) : null
  }

  /** Whether `snapshot` may differ from the one that was saved last. */
  get changed(): boolean {
    return this.dirty || this.outbox.changed || this.login.changed
  }

  saved(): void {
    this.dirty = this.outbox.changed = this.login.changed = false
  }

  /** Return the state to keep across a restart. */
  snapshot(): ClientState {
    const state = emptyState(this.account, this.device)
    state.token = this.login.token
    this.outbox.save(state)
    this.receipts.save(state)
    this.ranges.save(state)
    return state
  }

  private restore(state: ClientState): void {
    if (state.account !== this.account || state.device !== this.device) throw new Error('the state of another device')
    this.login.token = state.token
    this.outbox.restore(state)
    this.receipts.restore(state)
    this.waiting.push(...this.ranges.restore(state))
  }

  // One line.

  private take(line: string, now: number): void {
    let tags: Tags = {}
    let rest = line
    if (line.startsWith('@')) {
      const [raw, after] = cut(line.slice(1))
      tags = parseTags(raw)
      rest = after
    }
    const [verb, after] = cut(rest)
    if (verb.startsWith('RESP_')) {
      // While closing, a message could not be acknowledged any more.
      if (this.phase === 'online') this.pushed(verb, after, tags, now)
    } else if (verb === 'ITEM') {
      this.reply.items.push({ text: after, tags })
    } else if (verb === 'OK' || verb === 'END') {
      const [which, told] = cut(after)
      this.reply.rest = told
      this.reply.tags = tags
      this.answered(which, now)
    } else if (verb === 'ERR') {
      const [which, told] = cut(after)
      this.reply.error = parseError(told)
      this.answered(which, now)
    } else if (verb === 'HELLO' && this.phase === 'greeting') {
      this.phase = 'entering'
      this.step(() => this.login.greeted(after), now)
    } else if (verb !== 'BEGIN') {
      throw new Error('unknown verb')
    }
  }

  private answered(verb: string, now: number): void {
    const { reply } = this
    this.reply = emptyReply()
    if (reply.error !== null) {
      // Only errors are answered; the place is not moved, so messages repeat.
      if (verb === 'SEND_ACK') return
      if (verb === '-' && (!UNREAD.has(reply.error.word) || !this.fifo.length)) {
        this.break(`the server says ${reply.error.word}: ${reply.error.text}`)
        return
      }
    }
    const [command] = this.fifo
    if (!command || (verb !== command.verb && verb !== '-')) throw new Error('a reply to no command')
    this.fifo.shift()
    command.answered(reply, now)
  }

  private pushed(verb: string, rest: string, tags: Tags, now: number): void {
    const push = parsePush(verb, rest, tags)
    switch (push?.type) {
      case undefined:
        return
      case 'message':
      case 'notice':
      case 'edited':
      case 'recalled':
      case 'reacted':
      case 'pinned':
        this.numbered(push, now)
        return
      case 'behind':
        this.behind(push)
        return
      case 'gap':
        this.receipts.announced(push.conversation, push.last)
        break
      case 'pinged':
      case 'replaced':
      case 'revoked':
      case 'bye':
        this.told(push)
        return
      default:
    }
    this.waiting.push(push as Event)
  }

  private told(push: Told): void {
    switch (push.type) {
      case 'pinged':
        this.ping()
        break
      case 'replaced':
        this.end('replaced')
        break
      case 'revoked':
        this.revoked(push.why)
        break
      case 'bye':
        this.break(`the server closes the connection: ${push.sentence || push.why}`)
    }
  }

  private numbered(push: MessageEvent | NoticeEvent | OperationEvent, now: number): void {
    const [conversation, position] = splitId(push.id)
    this.overtaken(conversation, position)
    if (this.receipts.arrived(conversation, position, now)) {
      this.waiting.push(push)
      this.receipts.finish(conversation, position, now)
    }
    this.dirty = true
  }

  private behind(range: RangeEvent): void {
    for (const part of this.ranges.told(range)) {
      this.waiting.push(part)
      this.ranges.finish(part)
    }
    this.dirty = true
  }

  /** Report a gap if this number was another message's: the store was restored while this device was away. */
  private overtaken(conversation: string, position: readonly [number, number]): void {
    const lost = this.receipts.overtaken(conversation, position)
    if (lost !== null) this.waiting.push({ type: 'gap', conversation, first: lost[0][1], last: lost[1][1] })
  }

  private revoked(why: string): void {
    // Only the token is invalid, not the account: with a password another login may succeed.
    if ((why === 'password' || why === 'revoked') && this.login.forget()) this.break(`the server took the login back: ${why}`)
    else this.end('revoked', null, why)
  }

  private stored(conversation: string, id: string): void {
    const [where, position] = splitId(id)
    if (where !== conversation) throw new Error('the id of another conversation')
    this.overtaken(conversation, position)
    this.receipts.sent(conversation, position)
  }

  // The login.

  private step(take: () => Step, now: number): void {
    let step: Step
    try {
      step = take()
    } catch (error) {
      if (error instanceof Error) throw error
      this.keptOut(error as Refused, now)
      return
    }
    if (step === null) {
      this.phase = 'online'
      this.giveUp = null
      this.waiting.push({ type: 'online' })
    } else if ('prove' in step) {
      this.waiting.push({ type: 'prove', ...this.login.secrets, challenge: step.prove })
    } else {
      this.say(step.verb, step.line, (reply, at) => this.step(() => this.login.answered(reply), at))
    }
  }

  private keptOut(error: Refused, now: number): void {
    const retry = retryOf(error)
    if (retry !== null && error.word !== 'BUSY') {
      this.loginAt = now + retry
      this.giveUp = this.loginAt + PATIENCE
    } else if (PASSING.has(error.word)) {
      this.break(`the server says ${error.word}: ${error.text}`)
    } else {
      this.end('refused', error)
    }
  }

  // Helpers.

  private say(verb: string, line: string, answered: (reply: Reply, now: number) => void): void {
    this.first.push(line)
    this.fifo.push({ verb, answered })
  }

  private ping(): void {
    this.say('SEND_PING', 'SEND_PING', () => {})
  }

  private break(reason: string): void {
    this.phase = 'broken'
    this.giveUp = this.loginAt = null
    this.waiting.push({ type: 'broken', reason: masked(reason) })
  }

  private end(reason: 'stopped' | 'replaced' | 'refused' | 'revoked', error: Refused | null = null, detail = ''): void {
    this.phase = 'ended'
    this.giveUp = this.loginAt = null
    this.waiting.push({ type: 'ended', reason, error, detail })
  }
}

function emptyReply(): Reply {
  return { rest: '', tags: {}, items: [], error: null }
}

function cut(text: string): [word: string, rest: string] {
  const at = text.indexOf(' ')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** Return a text with every token masked. */
function masked(text: string): string {
  return text.replace(/fct_[^\s'"]+|(?<=token=)[^\s'"]+/g, '…')
}

function randomNonce(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

