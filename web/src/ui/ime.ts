/** When a composition of an input method ended, by the time of its event; Safari sends its Enter just after it. */
let ended = -1000

addEventListener('compositionend', (event) => {
  ended = event.timeStamp
})

/** Whether a key belongs to an input method: then it chooses letters, and does nothing else. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229 || (event.key === 'Enter' && event.timeStamp - ended < 30)
}
