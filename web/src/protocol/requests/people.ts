/** Requests about accounts, devices and contacts. Times are in ms since 1970. */
import { readNumber } from '../fields.ts'
import { items, lineText, nameOf, need, nothing, type Request, request, split } from '../request.ts'

/** An account with its display name; empty if it has none for this account. */
export interface Named {
  account: string
  name: string
}

export interface Contact extends Named {
  remark: string
}

export interface ContactRequest extends Named {
  time: number
  text: string
}

export interface Status extends Named {
  online: boolean
  /** 0: never, or not for this account to know. */
  lastSeen: number
}

export interface Device {
  device: string
  online: boolean
  /** 0: never. */
  lastSeen: number
  /** When its token ends; 0: it has none. */
  tokenEnds: number
}

export function ping(): Request<void> {
  return request('SEND_PING', { result: nothing })
}

export function status(account: string): Request<Status> {
  return request('REQ_CLIENT_STATUS', {
    fields: [nameOf(account)],
    result: (reply) => {
      const [found, state, seen, name = ''] = need(split(reply.rest, 3), 3)
      return { account: found, online: state === 'online', lastSeen: readNumber(seen), name }
    },
  })
}

/** Return the display names of up to 100 accounts; those without a name are left out. */
export function names(accounts: string[]): Request<Record<string, string>> {
  return request('REQ_NAMES', {
    text: accounts.map(nameOf).join(' '),
    result: (reply) => {
      const all = items(named)(reply).filter(({ name }) => name)
      return Object.fromEntries(all.map(({ account, name }) => [account, name]))
    },
  })
}

function named({ text }: { text: string }): Named {
  const [account = '', name = ''] = split(text, 1)
  return { account, name }
}

export function changePassword(password: string): Request<void> {
  return request('SEND_PASSWORD', { text: lineText(password, 'PASSWORD'), result: nothing })
}

/** Delete one's account, with its password. */
export function deleteAccount(password: string): Request<void> {
  return request('DELETE_CLIENT', { text: lineText(password, 'AUTH'), result: nothing })
}

export function devices(): Request<Device[]> {
  return request('REQ_DEVICES', {
    result: items(({ text }) => {
      const [device, state, seen, ends] = need(text.split(' '), 4)
      return { device, online: state === 'online', lastSeen: readNumber(seen), tokenEnds: readNumber(ends) }
    }),
  })
}

/** Revoke a device's token and close its connection. */
export function revokeDevice(device: string): Request<void> {
  return request('REVOKE_DEVICE', { fields: [nameOf(device)], result: nothing, settled: 'NOTFOUND' })
}

/** Set which accounts may start a conversation. */
export function setPrivacy(privacy: 'everyone' | 'contacts'): Request<void> {
  return request('SEND_PRIVACY', { fields: [privacy], result: nothing })
}

/** Set one's display name. */
export function setName(name: string): Request<void> {
  return request('SEND_NAME', { text: lineText(name, 'BADNAME'), result: nothing })
}

export function block(account: string): Request<void> {
  return request('BLOCK_CLIENT', { fields: [nameOf(account)], result: nothing })
}

export function unblock(account: string): Request<void> {
  return request('UNBLOCK_CLIENT', { fields: [nameOf(account)], result: nothing })
}

/** List the accounts that one has blocked. */
export function blocked(): Request<Named[]> {
  return request('REQ_BLOCKED', { result: items(named) })
}

/** Add a contact, perhaps with a remark; an empty one is removed. */
export function addContact(account: string, remark?: string): Request<void> {
  const text = remark === undefined ? '' : lineText(remark || '-', 'BADNAME')
  return request('ADD_CONTACT', { fields: [nameOf(account)], text, result: nothing })
}

export function removeContact(account: string): Request<void> {
  return request('REMOVE_CONTACT', { fields: [nameOf(account)], result: nothing })
}

export function contacts(): Request<Contact[]> {
  return request('REQ_CONTACTS', { result: items((item) => ({ ...named(item), remark: item.tags.remark ?? '' })) })
}

/** Ask an account to become a contact. */
export function askContact(account: string, text = ''): Request<void> {
  return request('ASK_CONTACT', { fields: [nameOf(account)], text: text ? lineText(text, 'CONTROL') : '', result: nothing })
}

/** List the requests of other accounts, the oldest first. */
export function contactRequests(): Request<ContactRequest[]> {
  return request('REQ_CONTACT_REQUESTS', {
    result: items(({ text, tags }) => {
      const [account, time, said = ''] = need(split(text, 2), 2)
      return { account, time: readNumber(time), text: said, name: tags.name ?? '' }
    }),
  })
}

export function acceptContact(account: string): Request<void> {
  return request('ACCEPT_CONTACT', { fields: [nameOf(account)], result: nothing, settled: 'NOTFOUND' })
}

export function refuseContact(account: string): Request<void> {
  return request('REFUSE_CONTACT', { fields: [nameOf(account)], result: nothing, settled: 'NOTFOUND' })
}

/** Be told whether an account is online: now, and at each change. */
export function watch(account: string): Request<void> {
  return request('WATCH_CLIENT', { fields: [nameOf(account)], result: nothing })
}

export function unwatch(account: string): Request<void> {
  return request('UNWATCH_CLIENT', { fields: [nameOf(account)], result: nothing })
}
