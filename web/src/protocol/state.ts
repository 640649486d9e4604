/** A send without an `OK`. With a number, it may be stored. An operation is kept as its line. */
export interface SavedSend {
  to: string
  text: string
  cseq?: number
  reply?: string
  mention?: string[]
  line?: string
}

/** What a device keeps across restarts, to send and receive each message once; as in `fishchat/client/state.py`. */
export interface ClientState {
  account: string
  device: string
  /** Conversation → the next number to send under. */
  counters: Record<string, number>
  sends: SavedSend[]
  /** Conversation → the last message that was handled. */
  done: Record<string, string>
  /** Conversation → runs above it that need no delivery. */
  ahead: Record<string, [string, string][]>
  /** Conversation → ranges of numbers that were not pushed and are not handled yet. */
  behind: Record<string, [number, number][]>
  /** The login token of the device; whoever has it can log in as this device. */
  token: string | null
}

/** Return the state of a device that has done nothing yet. */
export function emptyState(account: string, device: string): ClientState {
  return { account, device, counters: {}, sends: [], done: {}, ahead: {}, behind: {}, token: null }
}
