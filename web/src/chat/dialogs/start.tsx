import { useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import { conversationWith, type Model } from '../../model/model.ts'
import type { Failure } from '../../model/types.ts'
import type { ListedTopic } from '../../protocol/requests.ts'
import { shownName } from '../../text/text.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { failureText } from '../../ui/failure.ts'
import { Asked } from '../room/about.tsx'
import { go } from '../route.ts'

interface Props {
  model: Model
  /** The code of an invitation link that the page was opened with. */
  code?: string
  onClose: () => void
}

/** Begin a conversation: with an account, in a topic that is made or joined, or by an invitation link. */
export function StartDialog({ model, code = '', onClose }: Props) {
  const [text, setText] = useState(code)
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const words = t().frame
  const start = async (wanted: string) => {
    setBusy(true)
    setNote('')
    try {
      const conversation = await begin(model, wanted.trim())
      if (conversation === null) setNote(words.asked)
      else {
        onClose()
        go({ view: 'room', conversation })
      }
    } catch (failure) {
      setNote(failureText(failure))
    }
    setBusy(false)
  }
  return (
    <Dialog title={words.newConversation} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void start(text)
        }}
      >
        <label>
          {words.accountOrTopic}
          <input value={text} autocapitalize="none" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <small>{words.startHint}</small>
        <small>{words.joinByLink}</small>
        <p role="alert">{note}</p>
        <button class="primary" disabled={busy || !text.trim()}>
          {words.start}
        </button>
      </form>
      <section>
        <h3>{words.browse}</h3>
        <Asked ask={() => model.engine.ask<ListedTopic[]>('directory')}>
          {(topics) => (
            <ul class="names">
              {topics.map(({ topic, title, members }) => (
                <li>
                  <button type="button" onClick={() => void start(`#${topic}`)}>
                    <bdi>{shownName(title || `#${topic}`)}</bdi> <small>{t().room.members(members)}</small>
                  </button>
                </li>
              ))}
              {!topics.length && <li>{words.nothing}</li>}
            </ul>
          )}
        </Asked>
      </section>
    </Dialog>
  )
}

/** Return the conversation that begins; null if the admins of a topic were asked. */
async function begin(model: Model, wanted: string): Promise<string | null> {
  const code = /[#&]join=([^&\s]+)/.exec(wanted)?.[1]
  if (code) {
    const { topic, member } = await model.engine.ask<{ topic: string; member: boolean }>('joinLink', code)
    return member ? `#${topic}` : null
  }
  if (!wanted.startsWith('#')) {
    // Who is not there is found out before anything is written.
    await model.engine.ask('status', wanted)
    return conversationWith(model.account, wanted)
  }
  if (model.conversations.value.get(wanted)?.member) return wanted
  try {
    return (await model.engine.ask<boolean>('join', wanted.slice(1))) ? wanted : null
  } catch (failure) {
    if ((failure as Failure).word !== 'NOTFOUND') throw failure
    await model.engine.ask('createTopic', wanted.slice(1))
    return wanted
  }
}
