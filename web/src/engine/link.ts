/** What a link tells of its connection. */
export interface Listener {
  opened(): void
  received(line: string): void
  lost(): void
}

/** The protocol's name over WebSocket. */
export const SUBPROTOCOL = 'fishchat.1'

/** One WebSocket. After its end it says nothing more; a link is never opened twice. */
export class Link {
  private readonly socket: WebSocket
  private readonly listener: Listener
  private ended = false

  /** Begin to connect to an address, `ws://…/socket`. */
  constructor(address: string, listener: Listener) {
    this.listener = listener
    this.socket = new WebSocket(address, SUBPROTOCOL)
    this.socket.onopen = () => this.ended || listener.opened()
    this.socket.onmessage = ({ data }) => this.ended || listener.received(String(data))
    this.socket.onclose = () => this.end()
    this.socket.onerror = () => this.end()
  }

  /** Send lines, without their endings. */
  send(lines: string[]): void {
    if (this.socket.readyState === WebSocket.OPEN) for (const line of lines) this.socket.send(line)
  }

  /** Close, and forget the connection without waiting: a dead one would not answer. */
  drop(): void {
    this.ended = true
    this.socket.close()
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    this.listener.lost()
  }
}
