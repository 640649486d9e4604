import { signal } from '@preact/signals'

import { common } from './common.ts'
import { entry } from './entry.ts'
import { frame } from './frame.ts'
import { panel } from './panel.ts'
import { room } from './room.ts'

export type Language = 'en' | 'zh'

const texts = { common, entry, frame, panel, room }

/** The language of the page: the one that was chosen, else the browser's. */
export const language = signal<Language>(chosen() ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'))

type Texts = { [Area in keyof typeof texts]: (typeof texts)[Area]['en'] }

/** The texts in the language of the page: `t().room.send`. A component that reads it is drawn anew after a change. */
export function t(): Texts {
  const of = language.value
  return perLanguage[of]
}

const perLanguage: Record<Language, Texts> = { en: pick('en'), zh: pick('zh') }

function pick(of: Language): Texts {
  return Object.fromEntries(Object.entries(texts).map(([area, both]) => [area, both[of]])) as Texts
}

/** Show the page in this language from now on. */
export function speak(of: Language): void {
  localStorage.setItem('language', of)
  language.value = of
}

function chosen(): Language | null {
  const kept = localStorage.getItem('language')
  return kept === 'en' || kept === 'zh' ? kept : null
}
