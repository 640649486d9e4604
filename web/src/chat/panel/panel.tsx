import './panel.css'

import type { Model } from '../../model/model.ts'
import { otherOf } from '../../model/model.ts'
import { PersonPanel } from './person.tsx'
import { TopicPanel } from './topic.tsx'

interface Props {
  model: Model
  id: string
  /** Whether the pinned messages are shown instead of the rest. */
  pins: boolean
  onClose: () => void
}

/** What there is to know and to do about a conversation; beside the room, on a phone over it. */
export function Panel({ model, id, pins, onClose }: Props) {
  const other = otherOf(model.account, id)
  if (id.startsWith('@')) return null
  return other === null ? (
    <TopicPanel model={model} id={id} pins={pins} onClose={onClose} />
  ) : (
    <PersonPanel model={model} id={id} account={other} pins={pins} onClose={onClose} />
  )
}
