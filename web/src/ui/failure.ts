import { t } from '../i18n/index.ts'
import type { Failure } from '../model/types.ts'
import { clock, day } from '../text/times.ts'

/** Return a failure as a sentence in the language of the page. */
export function failureText(failure: unknown): string {
  const { word = 'INTERNAL', text = '', until } = (failure ?? {}) as Partial<Failure>
  const sentences = t().common.failures as Record<string, string>
  const sentence = Object.hasOwn(sentences, word) ? sentences[word]! : text || word
  return until ? `${sentence} (${day(until)} ${clock(until)})` : sentence
}
