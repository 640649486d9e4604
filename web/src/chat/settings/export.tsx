import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import type { Conversation, Message } from '../../model/types.ts'
import { full } from '../../text/times.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { failureText } from '../../ui/failure.ts'

const PAGE = 100

/** Write everything that the account can see into two files: one for programs, one for people. */
export function ExportDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const [done, setDone] = useState(0)
  const [note, setNote] = useState('')
  const words = t().panel
  useEffect(() => {
    const state = { stopped: false }
    collect(model, state, setDone).then(
      (all) => {
        if (state.stopped) return
        save(`fishchat-${model.account}.json`, JSON.stringify(all, null, 1), 'application/json')
        save(`fishchat-${model.account}.txt`, all.map((one) => readable(model, one)).join('\n\n'), 'text/plain')
        setNote(words.exported)
      },
      (failure: unknown) => setNote(failureText(failure)),
    )
    return () => {
      state.stopped = true
    }
  }, [])
  return (
    <Dialog title={words.export} onClose={onClose}>
      <p role="status">{note || words.exporting(done)}</p>
      <button type="button" onClick={onClose}>
        {note ? t().common.close : t().common.cancel}
      </button>
    </Dialog>
  )
}

interface Collected {
  conversation: Conversation
  messages: Message[]
}

async function collect(model: Model, state: { stopped: boolean }, tell: (count: number) => void): Promise<Collected[]> {
  const all: Collected[] = []
  let count = 0
  for (const conversation of model.conversations.value.values()) {
    let messages: Message[] = []
    for (let page = await model.engine.page(conversation.id, { newest: true }, PAGE); !state.stopped; ) {
      messages = [...page.messages, ...messages]
      count += page.messages.length
      tell(count)
      const [first] = page.messages
      if (page.first || !first) break
      page = await model.engine.page(conversation.id, { before: first.id }, PAGE)
    }
    all.push({ conversation, messages })
  }
  return all
}

function readable(model: Model, { conversation, messages }: Collected): string {
  const lines = messages.map(({ time, from, text }) => `[${full(time)}] ${model.nameOf(from)}: ${text}`)
  return [`== ${model.titleOf(conversation)} (${conversation.id})`, ...lines].join('\n')
}

function save(name: string, text: string, type: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
