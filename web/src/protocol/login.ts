/**
 * The login, from the greeting to success; as `fishchat/client/login.py`.
 *
 * A token is tried first. Without one, or if it is refused, the password is proved by SCRAM, and the server issues a
 * token. A secret is sent as it is only to a server that offers no SCRAM because it requires no secret.
 */
import { formatTags } from './lines.ts'
import { lineText, nameOf, refused, type Reply } from './request.ts'
import { first, MECHANISM, type Proof } from './scram.ts'

const TOKEN = /^fct_[A-Za-z0-9_-]{1,128}$/

/** The next command; or that a proof must be computed, which `proved` takes; or that the login is done. */
export type Step = { verb: string; line: string } | { prove: string } | null

/** How a login proves who it is. */
export interface Secrets {
  password?: string
  token?: string
  /** Create the account first, with this invitation if there is one. */
  create?: boolean
  invite?: string
  /** A code of the operator, which is exchanged for a token once. */
  code?: string
}

export class Login {
  token: string | null = null
  /** Whether the token differs from the one that was saved last. */
  changed = false
  private readonly account: string
  private readonly device: string
  private readonly capabilities: string
  private readonly makeNonce: () => string
  private password: string | undefined
  private given: string | undefined
  private creation: { invite?: string } | null
  /** Whether the account's creation is on the wire, and whether an earlier attempt may have succeeded. */
  private isCreating = false
  private mayExist = false
  private code: string | null
  private offered = new Set<string>()
  private agreed = false
  private byToken = false
  private nonce = ''
  private signature = ''
  private isProving = false
  private next: (reply: Reply) => Step

  constructor(account: string, device: string, secrets: Secrets, capabilities: string[], makeNonce: () => string) {
    this.account = nameOf(account)
    this.device = nameOf(device)
    this.capabilities = `caps=${['ack', ...capabilities].join(',')}`
    this.makeNonce = makeNonce
    if (secrets.password) lineText(secrets.password, 'PASSWORD')
    if (secrets.token !== undefined) lineText(secrets.token, 'AUTH')
    if (secrets.invite !== undefined) lineText(secrets.invite, 'INVITATION')
    if (secrets.code !== undefined) lineText(secrets.code, 'AUTH')
    this.password = secrets.password
    this.given = secrets.token
    this.creation = secrets.create ? { invite: secrets.invite } : null
    this.code = secrets.code ?? null
    this.next = this.hello
  }

  /** What a proof is computed from. */
  get secrets(): { account: string; password: string; nonce: string } {
    return { account: this.account, password: this.password ?? '', nonce: this.nonce }
  }

  /** Start over on a new connection. */
  connected(): void {
    this.offered = new Set()
    this.mayExist ||= this.isCreating
    this.agreed = this.byToken = this.isProving = this.isCreating = false
    this.next = this.hello
  }

  /** Take the greeting and return the first command. */
  greeted(rest: string): Step {
    const told = pairs(rest)
    this.offered = new Set((told.sasl ?? '').split(',').filter(Boolean))
    return this.again()
  }

  /** Return the command for another attempt. */
  again(): Step {
    if (!this.agreed) {
      this.next = this.hello
      return { verb: 'HELLO', line: `HELLO 1 ${this.capabilities}` }
    }
    if (this.creation) return this.create(this.creation)
    if (this.code !== null) return this.redeem(this.code)
    const token = this.given ?? this.token
    this.byToken = token !== null && token !== undefined
    if (!token && this.password !== undefined && this.offered.size) return this.begin()
    this.next = this.letIn
    const secret = token ?? this.password ?? ''
    const tags = formatTags({ device: this.device })
    return { verb: 'SEND_CLIENT_ID', line: `${tags}SEND_CLIENT_ID ${this.account}${secret ? ` ${secret}` : ''}` }
  }

  /** Take a reply and return the next step. Fails with `Refused`, or with an error for an invalid reply. */
  answered(reply: Reply): Step {
    const { error } = reply
    const wasCreating = this.isCreating
    this.isCreating &&= error?.word === 'UNKNOWN'
    if (error === null) return this.next(reply)
    if (wasCreating && this.mayExist && (error.word === 'EXISTS' || error.word === 'INVITATION')) {
      // The first attempt may have taken the name and used the invitation up: the login tells.
      this.creation = null
      return this.again()
    }
    if (error.word === 'AUTH' && this.byToken && this.forget()) return this.again()
    throw error
  }

  /** Whether the proof for this nonce is awaited: one that took longer than its connection lasted is of no use. */
  awaits(nonce: string): boolean {
    return this.isProving && nonce === this.nonce
  }

  /** Take the proof that was asked for. */
  proved(proof: Proof): Step {
    this.isProving = false
    this.signature = proof.signature
    this.next = this.checked
    return { verb: 'SEND_AUTH', line: `SEND_AUTH ${MECHANISM} ${proof.final}` }
  }

  /** Drop the token if there is a password to log in by instead; returns whether there is. */
  forget(): boolean {
    if (this.password === undefined) return false
    this.given = undefined
    this.remember(null)
    return true
  }

  /** Log in by this password from now on. */
  renew(password: string): void {
    this.password = password
  }

  private readonly hello = (reply: Reply): Step => {
    const caps = pairs(reply.rest).caps ?? ''
    if (!caps.split(',').includes('ack')) throw refused('VERSION', 'the server does not offer caps=ack')
    this.agreed = true
    return this.again()
  }

  private create({ invite }: { invite?: string }): Step {
    this.isCreating = true
    this.next = () => {
      this.creation = null
      return this.again()
    }
    const tags = formatTags(invite ? { invite } : {})
    return { verb: 'CREATE_CLIENT', line: `${tags}CREATE_CLIENT ${this.account} ${this.password ?? ''}` }
  }

  private redeem(code: string): Step {
    this.byToken = false
    this.next = (reply) => {
      this.code = null
      this.letIn(reply)
      return this.again()
    }
    return { verb: 'REDEEM_CODE', line: `REDEEM_CODE ${this.account} ${this.device} ${code}` }
  }

  private begin(): Step {
    if (!this.offered.has(MECHANISM)) {
      throw refused('AUTH', 'the server offers no way to log in by a password that is known here')
    }
    this.nonce = this.makeNonce()
    this.next = (reply) => {
      this.isProving = true
      return { prove: reply.rest }
    }
    const tags = formatTags({ device: this.device })
    return { verb: 'SEND_AUTH', line: `${tags}SEND_AUTH ${MECHANISM} ${first(this.account, this.nonce)}` }
  }

  private readonly checked = (reply: Reply): Step => {
    if (reply.rest.split(' ', 1)[0] !== this.signature) {
      throw refused('AUTH', 'the server does not prove that it knows the password')
    }
    return this.letIn(reply)
  }

  private readonly letIn = (reply: Reply): Step => {
    const { token } = pairs(reply.rest)
    if (token !== undefined) {
      if (!TOKEN.test(token)) throw new Error('what should be a token is none')
      this.remember(token)
    }
    return null
  }

  private remember(token: string | null): void {
    if (token === this.token) return
    this.token = token
    this.changed = true
  }
}

function pairs(rest: string): Record<string, string> {
  const words = rest.split(' ').filter((word) => word.includes('='))
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]))
}

