import type { RangeEvent } from './events.ts'
import type { ClientState } from './state.ts'

/** The ranges that were not pushed (`RESP_BEHIND`), kept until they are handled; those of a conversation do not overlap. */
export class Ranges {
  private kept: RangeEvent[] = []

  save(state: ClientState): void {
    for (const { conversation, first, last } of this.kept) (state.behind[conversation] ??= []).push([first, last])
  }

  /** Continue with the ranges that an earlier page did not handle, and return them. */
  restore(state: ClientState): RangeEvent[] {
    this.kept = Object.entries(state.behind).flatMap(([conversation, ranges]) =>
      ranges.map(([first, last]): RangeEvent => ({ type: 'behind', conversation, first, last })),
    )
    return [...this.kept]
  }

  /** Keep a range; returns the parts of it that were not kept already. */
  told(range: RangeEvent): RangeEvent[] {
    let parts = range.first <= range.last ? [range] : []
    for (const kept of this.kept) {
      if (kept.conversation === range.conversation) parts = parts.flatMap((part) => without(part, kept))
    }
    this.kept.push(...parts)
    return parts
  }

  /** Forget a range, because it is handled. */
  finish(range: RangeEvent): void {
    const at = this.kept.findIndex(
      ({ conversation, first, last }) => conversation === range.conversation && first === range.first && last === range.last,
    )
    if (at < 0) throw new Error('a range that is not kept')
    this.kept.splice(at, 1)
  }
}

function without(part: RangeEvent, kept: RangeEvent): RangeEvent[] {
  const below = { ...part, last: Math.min(part.last, kept.first - 1) }
  const above = { ...part, first: Math.max(part.first, kept.last + 1) }
  return [below, above].filter(({ first, last }) => first <= last)
}
