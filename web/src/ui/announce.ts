/** The polite region of the page that screen readers read; the log of messages itself is not live. */

const SPACING = 1000

let waiting: string[] = []
let timer: number | undefined

/** Have a screen reader say this; at most one text a second, the newest few of a flood. */
export function announce(text: string): void {
  waiting = [...waiting, text].slice(-3)
  timer ??= window.setTimeout(say, SPACING)
}

function say(): void {
  timer = undefined
  const region = document.getElementById('announcer')
  if (region) region.textContent = waiting.join('\n')
  waiting = []
}
