/** Requests about topics: belonging to them, running them, ways into them. Times are in ms since 1970. */
import { type Tags } from '../lines.ts'
import { readNumber } from '../fields.ts'
import { items, lineText, nameOf, need, nothing, refused, type Request, request, split, textOf } from '../request.ts'

export type Kind = 'open' | 'approval' | 'invitation'
export type Role = 'owner' | 'admin' | 'member'

/** A topic that one is a member of. */
export interface Topic {
  topic: string
  owner: string
  kind: Kind
  members: number
}

export interface Member {
  account: string
  role: Role
  /** The number up to which it has read. */
  read: number
  name: string
  /** Until when it may not write; 0: it may. */
  muted: number
}

export interface Ban {
  account: string
  /** 0: for ever. */
  until: number
  by: string
  reason: string
}

export interface Link {
  id: string
  by: string
  /** How many accounts may still use it; null: any number. */
  left: number | null
  expires: number
  /** Whether it leads to a request only. */
  approval: boolean
}

export interface JoinRequest {
  account: string
  time: number
  text: string
}

export interface ListedTopic {
  topic: string
  kind: Kind
  members: number
  title: string
}

/** How a new topic is set up. */
export interface Setup {
  kind?: Kind
  write?: 'all' | 'admins'
  history?: 'joined' | 'all'
  listed?: boolean
}

export function createTopic(topic: string, { kind, write, history, listed }: Setup = {}): Request<void> {
  const tags: Tags = {}
  if (kind) tags.kind = kind
  if (write) tags.write = write
  if (history) tags.history = history
  if (listed) tags.listed = ''
  return request('CREATE_TOPIC', { fields: [nameOf(topic)], tags, result: nothing })
}

/** Join a topic; returns whether one is a member now, or else its admins were asked, with this text. */
export function join(topic: string, text = ''): Request<boolean> {
  return request('JOIN_TOPIC', {
    fields: [nameOf(topic)],
    text: text ? lineText(text, 'FIELDS') : '',
    result: (reply) => !reply.rest.endsWith(' pending'),
  })
}

export function leave(topic: string): Request<void> {
  return request('LEAVE_TOPIC', { fields: [nameOf(topic)], result: nothing, settled: 'NOTMEMBER' })
}

export function invite(topic: string, account: string): Request<void> {
  return request('INVITE_TOPIC', { fields: [nameOf(topic), nameOf(account)], result: nothing })
}

/** Close a topic of one's own. */
export function dismiss(topic: string): Request<void> {
  return request('DISMISS_TOPIC', { fields: [nameOf(topic)], result: nothing, settled: 'NOTFOUND' })
}

/** List the topics that one is a member of. */
export function topics(): Request<Topic[]> {
  return request('REQ_TOPICS', {
    result: items(({ text }) => {
      const [topic, owner, kind, members] = need(text.split(' '), 4)
      return { topic, owner, kind: kind as Kind, members: readNumber(members) }
    }),
  })
}

/** List members by name: all, or at most `limit` of those after a name. */
export function members(topic: string, after?: string, limit?: number): Request<Member[]> {
  return request('REQ_MEMBERS', {
    fields: [nameOf(topic)],
    tags: paged(after, limit),
    result: items(({ text, tags }) => {
      const [account, role, read, name = ''] = need(split(text, 3), 3)
      return { account, role: role === 'owner' || role === 'admin' ? role : 'member', read: readNumber(read), name, muted: readNumber(tags.muted ?? '0') }
    }),
  })
}

/** Change a setting of a topic; an empty value removes a title, a description or an announcement. */
export function setTopic(topic: string, setting: string, value: string): Request<void> {
  return request('SET_TOPIC', { fields: [nameOf(topic), setting], text: value ? lineText(value, 'FIELDS') : '-', result: nothing })
}

/** Return setting → value, with `owner`, `members`, one's own `role` and so on. */
export function describe(topic: string): Request<Record<string, string>> {
  return request('REQ_TOPIC', {
    fields: [nameOf(topic)],
    result: (reply) =>
      Object.fromEntries(
        reply.items.map(({ text, tags }) => {
          const [name = '', value = ''] = split(text, 1)
          return [name, textOf(value, tags)]
        }),
      ),
  })
}

export function setRole(topic: string, account: string, role: 'admin' | 'member'): Request<void> {
  return request('SET_ROLE', { fields: [nameOf(topic), nameOf(account), role], result: nothing })
}

/** Make another member the owner. */
export function transfer(topic: string, account: string): Request<void> {
  return request('TRANSFER_TOPIC', { fields: [nameOf(topic), nameOf(account)], result: nothing })
}

export function kick(topic: string, account: string, reason = ''): Request<void> {
  return request('KICK_MEMBER', { fields: who(topic, account), text: why(reason), result: nothing, settled: 'NOTMEMBER' })
}

/** Keep an account out of a topic, for some seconds or for ever. */
export function ban(topic: string, account: string, reason = '', seconds?: number): Request<void> {
  return request('BAN_MEMBER', { fields: who(topic, account), text: why(reason), tags: lasting(seconds), result: nothing })
}

export function unban(topic: string, account: string): Request<void> {
  return request('UNBAN_MEMBER', { fields: who(topic, account), result: nothing, settled: 'NOTFOUND' })
}

export function banned(topic: string, after?: string, limit?: number): Request<Ban[]> {
  return request('REQ_BANNED', {
    fields: [nameOf(topic)],
    tags: paged(after, limit),
    result: items(({ text }) => {
      const [account, until, by, reason = ''] = need(split(text, 3), 3)
      return { account, until: readNumber(until), by, reason }
    }),
  })
}

/** Let a member read, but not write, for some seconds (a day if none are given). */
export function mute(topic: string, account: string, reason = '', seconds?: number): Request<void> {
  return request('MUTE_MEMBER', { fields: who(topic, account), text: why(reason), tags: lasting(seconds), result: nothing })
}

export function unmute(topic: string, account: string): Request<void> {
  return request('UNMUTE_MEMBER', { fields: who(topic, account), result: nothing, settled: 'NOTFOUND' })
}

/** Create a link into a topic; returns its code, and the id by which it is listed. */
export function createLink(topic: string, seconds?: number, uses?: number, approval = false): Request<{ code: string; id: string }> {
  const tags: Tags = lasting(seconds)
  if (uses !== undefined) tags.uses = String(uses)
  if (approval) tags.approval = ''
  return request('CREATE_LINK', {
    fields: [nameOf(topic)],
    tags,
    result: (reply) => {
      const [code, id] = need(reply.rest.split(' '), 2)
      return { code, id }
    },
  })
}

/** Revoke a link by its code or id, or `all`; returns how many were revoked. */
export function revokeLink(topic: string, link: string): Request<number> {
  return request('REVOKE_LINK', { fields: [nameOf(topic), codeOf(link)], result: (reply) => readNumber(reply.rest.split(' ').at(-1)) })
}

export function links(topic: string): Request<Link[]> {
  return request('REQ_LINKS', {
    fields: [nameOf(topic)],
    result: items(({ text }) => {
      const [id, by, left, expires, way] = need(text.split(' '), 5)
      return { id, by, left: left === '-' ? null : readNumber(left), expires: readNumber(expires), approval: way === 'approval' }
    }),
  })
}

/** Join by a link; returns the topic, and whether one is a member now: if not, its admins were asked. */
export function joinLink(code: string, text = ''): Request<{ topic: string; member: boolean }> {
  return request('JOIN_LINK', {
    fields: [codeOf(code)],
    text: text ? lineText(text, 'FIELDS') : '',
    result: (reply) => ({ topic: reply.rest.split(' ')[0] ?? '', member: !reply.rest.endsWith(' pending') }),
  })
}

/** List the requests to join a topic, oldest first. */
export function joinRequests(topic: string): Request<JoinRequest[]> {
  return request('REQ_REQUESTS', {
    fields: [nameOf(topic)],
    result: items(({ text, tags }) => {
      const [account, time, said = ''] = need(split(text, 2), 2)
      return { account, time: readNumber(time), text: textOf(said, tags) }
    }),
  })
}

export function acceptMember(topic: string, account: string): Request<void> {
  return request('ACCEPT_MEMBER', { fields: who(topic, account), result: nothing, settled: 'EXISTS' })
}

export function refuseMember(topic: string, account: string, reason = ''): Request<void> {
  return request('REFUSE_MEMBER', { fields: who(topic, account), text: why(reason), result: nothing, settled: 'NOTFOUND' })
}

/** List the topics of the directory by name. */
export function directory(prefix = '', after?: string, limit?: number): Request<ListedTopic[]> {
  return request('REQ_DIRECTORY', {
    text: prefix ? nameOf(prefix) : '',
    tags: paged(after, limit),
    result: items(({ text, tags }) => {
      const [topic, kind, count, title = ''] = need(split(text, 3), 3)
      return { topic, kind: kind as Kind, members: readNumber(count), title: textOf(title, tags) }
    }),
  })
}

/** Return the code of a link, or what may be one. */
function codeOf(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(text)) throw refused('NOTFOUND')
  return text
}

function who(topic: string, account: string): string[] {
  return [nameOf(topic), nameOf(account)]
}

function why(reason: string): string {
  return reason ? lineText(reason, 'FIELDS') : ''
}

function lasting(seconds?: number): Tags {
  return seconds === undefined ? {} : { for: String(seconds) }
}

function paged(after?: string, limit?: number): Tags {
  return { ...(after === undefined ? {} : { after: nameOf(after) }), ...(limit === undefined ? {} : { limit: String(limit) }) }
}
