import { language } from '../i18n/index.ts'

const cache = new Map<string, Intl.DateTimeFormat>()

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const tag = language.value === 'zh' ? 'zh-CN' : 'en'
  const key = `${tag} ${JSON.stringify(options)}`
  const found = cache.get(key) ?? new Intl.DateTimeFormat(tag, options)
  cache.set(key, found)
  return found
}

/** Return the time of day, `18:42`. */
export function clock(time: number): string {
  return format({ hour: '2-digit', minute: '2-digit', hour12: false }).format(time)
}

/** Return the day in words, `Monday, 30 November`. */
export function day(time: number): string {
  const sameYear = new Date(time).getFullYear() === new Date().getFullYear()
  return format({ weekday: 'long', day: 'numeric', month: 'long', ...(sameYear ? {} : { year: 'numeric' }) }).format(time)
}

/** Return the whole date and time. */
export function full(time: number): string {
  return format({ dateStyle: 'full', timeStyle: 'short' }).format(time)
}

/** Return what the list shows: the time today, then yesterday, the weekday, the date. */
export function short(time: number, now = Date.now()): string {
  const days = dayNumber(now) - dayNumber(time)
  if (days <= 0) return clock(time)
  if (days === 1) return relative(-1, 'day')
  if (days < 7) return format({ weekday: 'short' }).format(time)
  return format({ day: 'numeric', month: 'numeric', ...(days > 300 ? { year: 'numeric' } : {}) }).format(time)
}

/** Return how long ago something was, `2 hours ago`. */
export function ago(time: number, now = Date.now()): string {
  const minutes = Math.round((time - now) / 60_000)
  if (Math.abs(minutes) < 60) return relative(Math.min(0, minutes), 'minute')
  if (Math.abs(minutes) < 60 * 24) return relative(Math.round(minutes / 60), 'hour')
  return relative(Math.round(minutes / 60 / 24), 'day')
}

/** Return a number that is the same for times of one day here. */
export function dayNumber(time: number): number {
  const date = new Date(time)
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000)
}

function relative(value: number, unit: Intl.RelativeTimeFormatUnit): string {
  return new Intl.RelativeTimeFormat(language.value === 'zh' ? 'zh' : 'en', { numeric: 'auto' }).format(value, unit)
}
