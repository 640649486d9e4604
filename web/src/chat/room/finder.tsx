import { useEffect, useRef, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { ConversationId, Message, MessageId } from '../../model/types.ts'
import { Icon } from '../../ui/icons.tsx'
import { isComposing } from '../../ui/ime.ts'

interface Props {
  model: Model
  id: ConversationId
  onFound: (id: MessageId) => void
  onClose: () => void
}

/** The search in one conversation, over what the browser holds. */
export function Finder({ model, id, onFound, onClose }: Props) {
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const [found, setFound] = useState<Message[]>([])
  const [at, setAt] = useState(0)
  const words = t().room
  useEffect(() => field.current?.focus(), [])
  useEffect(() => {
    const timer = setTimeout(() => {
      if (!text.trim()) return setFound([])
      void model.engine.ask<Message[]>('search', text.trim(), id).then((rows) => {
        setFound(rows)
        setAt(0)
        if (rows[0]) onFound(rows[0].id)
      })
      return undefined
    }, 250)
    return () => clearTimeout(timer)
  }, [text, id])
  const move = (by: number) => {
    if (!found.length) return
    const next = (at + by + found.length) % found.length
    setAt(next)
    onFound(found[next]!.id)
  }
  return (
    <div class="finder" role="search">
      <input
        ref={field}
        type="search"
        aria-label={words.find}
        placeholder={words.find}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (isComposing(event)) return
          if (event.key === 'Enter') move(event.shiftKey ? -1 : 1)
          else if (event.key === 'Escape') onClose()
        }}
      />
      <output>{text.trim() && words.found(found.length ? at + 1 : 0, found.length)}</output>
      <button type="button" class="icon" aria-label={words.findPrevious} onClick={() => move(1)}>
        <Icon name="up" />
      </button>
      <button type="button" class="icon" aria-label={words.findNext} onClick={() => move(-1)}>
        <Icon name="down" />
      </button>
      <button type="button" class="icon" aria-label={t().common.close} onClick={onClose}>
        <Icon name="x" />
      </button>
    </div>
  )
}
