import { openDB } from 'idb'

/** Who is logged in in this browser. */
export interface Identity {
  account: string
  device: string
}

const KEY = 'who'

/** Return who is logged in here; null if nobody is. */
export async function identity(): Promise<Identity | null> {
  try {
    const db = await opened()
    const found = (await db.get('values', KEY)) as Identity | undefined
    db.close()
    return found ?? null
  } catch {
    return null
  }
}

/** Remember who is logged in; null: nobody. Without storage it is forgotten with the page. */
export async function remember(who: Identity | null): Promise<void> {
  try {
    const db = await opened()
    if (who) await db.put('values', who, KEY)
    else await db.delete('values', KEY)
    db.close()
  } catch {
    // The page says by itself that the browser keeps nothing.
  }
}

/** Return a name for this browser as a device: one for each, made once. */
export function deviceName(): string {
  const letters = crypto.getRandomValues(new Uint8Array(6))
  return `web-${[...letters].map((each) => 'abcdefghijklmnopqrstuvwxyz234567'[each % 32]).join('')}`
}

function opened() {
  return openDB('fishchat', 1, { upgrade: (fresh) => void fresh.createObjectStore('values') })
}
