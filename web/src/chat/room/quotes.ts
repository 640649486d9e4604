import { useEffect, useRef, useState } from 'preact/hooks'

import type { Model } from '../../model/model.ts'
import type { Message, MessageId } from '../../model/types.ts'

/** Return the messages that are quoted on the page: null for one that is gone; those that are not loaded are asked for. */
export function useQuotes(model: Model, rows: Message[]): ReadonlyMap<MessageId, Message | null> {
  const asked = useRef(new Map<MessageId, Message | null>())
  const [, redraw] = useState(0)
  const here = new Map(rows.map((row) => [row.id, row]))
  const quotes = new Map<MessageId, Message | null>()
  const missing: MessageId[] = []
  for (const { reply } of rows) {
    if (!reply || quotes.has(reply)) continue
    const found = here.get(reply) ?? asked.current.get(reply)
    if (found !== undefined) quotes.set(reply, found)
    else missing.push(reply)
  }
  useEffect(() => {
    for (const id of missing) {
      void model.engine.message(id).then(
        (message) => {
          asked.current.set(id, message)
          redraw((count) => count + 1)
        },
        () => {},
      )
    }
  }, [missing.join(' ')])
  return quotes
}
