interface Props {
  /** The account or the topic, which decides the colour. */
  id: string
  /** The name to show, whose first letter is on the face. */
  name: string
  topic?: boolean
  online?: boolean
  size?: '' | 's' | 'xs'
}

/** The round face of a person, or the seal of a topic. It is decoration: the name stands beside it. */
export function Face({ id, name, topic = false, online = false, size = '' }: Props) {
  return (
    <span class={`face ${topic ? 'topic' : ''} ${size}`} style={{ '--c': `var(--p${pigment(id)})` }} aria-hidden="true">
      {firstLetter(name)}
      {online && <span class="on" />}
    </span>
  )
}

/** Return the number of the pigment of an account or topic, 1 to 8; `--n…` is the ink of its name. */
export function pigment(id: string): number {
  // FNV-1a, folded: names that differ in one letter get other pigments.
  let hash = 0x811c9dc5
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193)
  return (((hash >>> 16) ^ hash) & 7) + 1
}

const letters = new Intl.Segmenter()

function firstLetter(name: string): string {
  for (const { segment } of letters.segment(name)) return segment.toUpperCase()
  return '?'
}
