import { effect, signal } from '@preact/signals'

import { language } from '../../i18n/index.ts'

export type Theme = 'auto' | 'light' | 'dark'

/** The look of the page: it is kept in this browser. */
export const theme = signal<Theme>((localStorage.getItem('theme') as Theme | null) ?? 'auto')
/** The size of texts, in per cent. */
export const size = signal(Number(localStorage.getItem('size') ?? 100))

/** Keep the look of the page as it is chosen. */
export function dress(): void {
  const root = document.documentElement
  effect(() => {
    localStorage.setItem('theme', theme.value)
    if (theme.value === 'auto') delete root.dataset.theme
    else root.dataset.theme = theme.value
  })
  effect(() => {
    localStorage.setItem('size', String(size.value))
    root.style.fontSize = size.value === 100 ? '' : `${size.value}%`
  })
  effect(() => {
    root.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  })
}
