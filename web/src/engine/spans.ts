/** Runs of numbers of one conversation that the browser holds whole, lowest first, with a hole between each two. */
export type Span = [first: number, last: number]

/** Return the runs with `first` to `last` among them. */
export function add(spans: readonly Span[], first: number, last: number): Span[] {
  if (last < first) return [...spans]
  const before = spans.filter(([, end]) => end < first - 1)
  const after = spans.filter(([start]) => start > last + 1)
  const met = spans.slice(before.length, spans.length - after.length)
  const merged: Span = [Math.min(first, ...met.map(([start]) => start)), Math.max(last, ...met.map(([, end]) => end))]
  return [...before, merged, ...after]
}

/** Return the runs without the number `from` and all above it. */
export function cut(spans: readonly Span[], from: number): Span[] {
  return spans.filter(([first]) => first < from).map(([first, last]) => [first, Math.min(last, from - 1)])
}

/** Return the run that holds a number. */
export function spanOf(spans: readonly Span[], number: number): Span | undefined {
  return spans.find(([first, last]) => first <= number && number <= last)
}
