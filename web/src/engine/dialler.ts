import { Link } from './link.ts'
import { type ServerInfo, socketsOf } from './server.ts'

/** Milliseconds before the first new attempt, and at most. */
const FIRST = 500
const LONGEST = 30_000
/** Milliseconds that an attempt to connect may take. */
const PATIENCE = 10_000

/** What the dialler tells. */
export interface Calls {
  opened(): void
  received(line: string): void
  /** `nextTry`: when the next attempt is made, in ms since 1970. */
  lost(nextTry: number): void
}

/** Keeps one connection: asks which servers there are, and connects anew with growing pauses. */
export class Dialler {
  private readonly info: () => Promise<ServerInfo>
  private calls!: Calls
  private link: Link | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private pause = FIRST
  private tries = 0
  private addresses: string[] = []
  private preferred: string | undefined
  private stopped = false

  /** `info` asks the page's server where to connect. */
  constructor(info: () => Promise<ServerInfo>) {
    this.info = info
  }

  start(calls: Calls): void {
    this.calls = calls
    void this.dial()
  }

  send(lines: string[]): void {
    this.link?.send(lines)
  }

  /** Say that the login worked: the next loss is followed by a short pause. */
  steady(): void {
    this.pause = FIRST
    this.tries = 0
  }

  /** Connect now, if there is no connection. */
  now(): void {
    if (this.link || this.stopped) return
    clearTimeout(this.timer)
    void this.dial()
  }

  /** Give the connection up and take another one at once. */
  redial(): void {
    if (!this.link) return this.now()
    this.drop()
    this.again(0)
  }

  /** The server asked to go elsewhere. */
  move(address?: string): void {
    this.preferred = address
    this.redial()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.drop()
  }

  private async dial(): Promise<void> {
    if (this.link || this.stopped) return
    try {
      if (this.tries++ % 2 === 0 || !this.addresses.length) this.addresses = socketsOf(await this.info())
    } catch {
      if (!this.addresses.length) return this.again(this.grown())
    }
    const address = this.preferred ?? this.addresses[(this.tries - 1) % this.addresses.length]
    this.preferred = undefined
    if (this.link || this.stopped) return
    if (!address) return this.again(this.grown())
    this.open(address)
  }

  private open(address: string): void {
    const link: Link = new Link(address, {
      opened: () => {
        clearTimeout(this.timer)
        this.calls.opened()
      },
      received: (line) => this.calls.received(line),
      lost: () => this.ended(link),
    })
    this.link = link
    this.timer = setTimeout(() => this.redialAfter(link), PATIENCE)
  }

  private redialAfter(link: Link): void {
    link.drop()
    this.ended(link)
  }

  private ended(link: Link): void {
    if (this.link !== link) return
    this.link = null
    this.again(this.grown())
  }

  private drop(): void {
    this.link?.drop()
    this.link = null
  }

  private again(pause: number): void {
    clearTimeout(this.timer)
    if (this.stopped) return
    this.calls.lost(Date.now() + pause)
    this.timer = setTimeout(() => void this.dial(), pause)
  }

  private grown(): number {
    const pause = this.pause * (0.5 + Math.random())
    this.pause = Math.min(LONGEST, this.pause * 2)
    return pause
  }
}
