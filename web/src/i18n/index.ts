import { signal } from '@preact/signals'

import type { Texts } from './en/index.ts'

export type Language = 'en' | 'zh'

/** The language of the page: the one that was chosen, else the browser's. */
export const language = signal<Language>(chosen() ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'))

const texts = signal<Texts | null>(null)

/** Load the texts of the page's language; nothing can be drawn before. */
export async function loadTexts(): Promise<void> {
  const of = language.value
  const loaded = of === 'zh' ? await import('./zh/index.ts') : await import('./en/index.ts')
  if (of === language.value) texts.value = loaded.texts
}

/** The texts in the language of the page: `t().room.send`. A component that reads them is drawn anew after a change. */
export function t(): Texts {
  if (!texts.value) throw new Error('the texts are not loaded yet')
  return texts.value
}

/** Show the page in this language from now on. */
export function speak(of: Language): void {
  localStorage.setItem('language', of)
  language.value = of
  void loadTexts()
}

function chosen(): Language | null {
  const kept = localStorage.getItem('language')
  return kept === 'en' || kept === 'zh' ? kept : null
}
