/** The client's side of SCRAM-SHA-256 (RFC 5802, 7677), without channel binding, which browsers do not offer. */
import { type Refused, refused } from './request.ts'

export const MECHANISM = 'SCRAM-SHA-256'
/** Fewer rounds would let an eavesdropper guess the password; more would keep the page busy for seconds. */
const MIN_ROUNDS = 4096
const MAX_ROUNDS = 5_000_000

/** The answer to a challenge: the proof to send, and the signature by which the server proves itself. */
export interface Proof {
  final: string
  signature: string
}

/** Return the client's first message. */
export function first(account: string, nonce: string): string {
  return `n,,${firstBare(account, nonce)}`
}

/** Return the proof that answers the server's first message, or fails with `Refused`. It takes a moment. */
export async function prove(account: string, password: string, nonce: string, challenge: string): Promise<Proof> {
  const { server, salt, rounds } = parts(nonce, challenge)
  const withoutProof = `c=biws,r=${server}`
  const signed = `${firstBare(account, nonce)},${challenge},${withoutProof}`
  const salted = await pbkdf2(prepared(password), salt, rounds)
  const clientKey = await hmac(salted, 'Client Key')
  const storedKey = await crypto.subtle.digest('SHA-256', clientKey)
  const clientSignature = await hmac(storedKey, signed)
  const mask = new Uint8Array(clientSignature)
  const proof = new Uint8Array(clientKey).map((byte, at) => byte ^ mask[at]!)
  const serverSignature = await hmac(await hmac(salted, 'Server Key'), signed)
  return { final: `${withoutProof},p=${base64(proof)}`, signature: `v=${base64(new Uint8Array(serverSignature))}` }
}

function firstBare(account: string, nonce: string): string {
  return `n=${account},r=${nonce}`
}

function parts(nonce: string, challenge: string): { server: string; salt: Uint8Array<ArrayBuffer>; rounds: number } {
  const [, server = '', salt = '', count = ''] = /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=([0-9]+)(?:,.*)?$/.exec(challenge) ?? []
  if (!server.startsWith(nonce) || server === nonce) {
    throw refusal('the server does not extend the nonce of this client')
  }
  const rounds = Number(count)
  if (rounds < MIN_ROUNDS || rounds > MAX_ROUNDS) throw refusal(`the server asks for ${count} rounds: too few or too many`)
  return { server, salt: decoded(salt), rounds }
}

function decoded(salt: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(salt), (letter) => letter.charCodeAt(0))
  } catch {
    throw refusal('the server sends a salt that is none')
  }
}

/** Letters that SASLprep leaves out, and blanks of all scripts, for which it takes a plain one (RFC 3454, B.1, C.1.2). */
const NOTHING = /\xad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g
const BLANKS = /[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]/g

/** Return a password in the form of SASLprep. No account has one with a letter that SASLprep forbids. */
function prepared(password: string): string {
  return password.replace(NOTHING, '').replace(BLANKS, ' ').normalize('NFKC')
}

async function pbkdf2(password: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<ArrayBuffer> {
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(password), 'PBKDF2', false, ['deriveBits'])
  return crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256)
}

async function hmac(secret: ArrayBuffer, text: string): Promise<ArrayBuffer> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text))
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function refusal(text: string): Refused {
  return refused('AUTH', text)
}
