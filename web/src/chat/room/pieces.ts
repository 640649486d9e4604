import { bytesOf, escape, MAX_TEXT } from '../../protocol/lines.ts'

/** Return a text in pieces that each fit into one message, cut at ends of lines or words where there are any. */
export function pieces(text: string): string[] {
  const all: string[] = []
  let rest = text
  while (sizeOf(rest) > MAX_TEXT) {
    const most = fitting(rest)
    const [line, blank] = [rest.lastIndexOf('\n', most), rest.lastIndexOf(' ', most)]
    const cut = line > most / 2 ? line : blank > most / 2 ? blank : most
    all.push(rest.slice(0, cut).trimEnd())
    rest = rest.slice(cut).trimStart()
  }
  return rest ? [...all, rest] : all
}

/** Return how many bytes a text has with its escapes. */
function sizeOf(text: string): number {
  return bytesOf(text.includes('\n') ? escape(text) : text)
}

/** Return how many letters of a text fit, without half a letter at the end. */
function fitting(text: string): number {
  let low = 1
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (bytesOf(escape(text.slice(0, middle))) <= MAX_TEXT) low = middle
    else high = middle - 1
  }
  const [whole] = [...new Intl.Segmenter().segment(text.slice(Math.max(0, low - 40), low + 40))].filter(
    ({ index, segment }) => Math.max(0, low - 40) + index < low && Math.max(0, low - 40) + index + segment.length > low,
  )
  return whole && low > 40 ? Math.max(1, Math.max(0, low - 40) + whole.index) : low
}
