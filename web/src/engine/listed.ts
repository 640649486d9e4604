import type { Request } from '../protocol/request.ts'
import { conversations } from '../protocol/requests/messages.ts'
import type { Book } from './book.ts'

const PAGE = 100
/** The most conversations that are read at a login: those of years ago are found by Ctrl+K when they are asked for. */
const MOST = 2000

type Ask = <T>(request: Request<T>) => Promise<T>

/**
 * Read the list of conversations and the topics from the server into the book.
 *
 * Returns accounts whose names may be unknown. What the browser holds and the server does not list stays: a draft, a
 * first message that waits.
 */
export async function listed(book: Book, ask: Ask): Promise<string[]> {
  const accounts: string[] = []
  let before: string | undefined
  for (let read = 0; read < MOST; read += PAGE) {
    const rows = await ask(conversations(true, PAGE, before))
    for (const row of rows) {
      book.change(row.conversation, {
        last: Math.max(row.last, book.of(row.conversation).row.last),
        read: row.read,
        unread: row.unread,
        mentions: row.mentions,
        time: row.time,
        remark: row.remark,
        notify: row.notify,
        until: row.until,
        pinned: row.pinned,
        archived: row.archived,
        ...(row.name ? { name: row.name } : {}),
        ...(row.id ? { preview: { id: row.id, from: row.from, text: row.text, ...(row.recalled ? { recalled: true } : {}) } } : {}),
      })
      if (row.from) accounts.push(row.recalled || row.from)
    }
    const last = rows.at(-1)
    if (rows.length < PAGE || !last) break
    before = `${last.time}-${last.conversation}`
  }
  await memberships(book, ask)
  return accounts
}

/** Note which topics the account is a member of; one without messages appears in the list all the same. */
async function memberships(book: Book, ask: Ask): Promise<void> {
  const { topics: request } = await import('../protocol/requests/topics.ts')
  const topics = new Set((await ask(request())).map(({ topic }) => `#${topic}`))
  for (const id of topics) if (!book.of(id).row.member) book.change(id, { member: true })
  for (const row of book.all()) {
    if (row.id.startsWith('#') && row.member && !topics.has(row.id)) book.change(row.id, { member: false })
  }
}
