import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'

export interface MenuItem {
  name: string
  act: () => void
  danger?: boolean
  icon?: ComponentChildren
}

interface Props {
  name: string
  items: MenuItem[]
  onClose: () => void
}

/** Pixels between a menu and what opened it, and the edge of the window. */
const GAP = 4
const EDGE = 8

/** A menu: arrows move, Enter acts, Escape and a press elsewhere end it. The focus goes back to what opened it. */
export function Menu({ name, items, onClose }: Props) {
  const menu = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    if (!menu.current) return
    // Above everything: a list that scrolls would cut it off.
    menu.current.showPopover?.()
    place(menu.current)
  }, [])
  useEffect(() => {
    const opener = document.activeElement
    const elsewhere = (event: PointerEvent) => {
      if (!menu.current?.contains(event.target as Node)) onClose()
    }
    entries()[0]?.focus()
    document.addEventListener('pointerdown', elsewhere)
    return () => {
      document.removeEventListener('pointerdown', elsewhere)
      if (opener instanceof HTMLElement && document.activeElement === document.body) opener.focus()
    }
  }, [])

  const entries = () => [...(menu.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]

  const move = (event: KeyboardEvent) => {
    const all = entries()
    const at = all.indexOf(document.activeElement as HTMLElement)
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }
    const next = to[event.key]
    if (next !== undefined) {
      all[(next + all.length) % all.length]?.focus()
      event.preventDefault()
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.stopPropagation()
      event.preventDefault()
      onClose()
    }
  }

  return (
    <div ref={menu} class="menu" popover="manual" role="menu" aria-label={name} onKeyDown={move}>
      {items.map((item) => (
        <button
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={item.danger ? 'danger' : ''}
          onClick={() => {
            onClose()
            item.act()
          }}
        >
          {item.icon}
          {item.name}
        </button>
      ))}
    </div>
  )
}

/** Put a menu below the button that opened it, or above where there is no room below. */
function place(menu: HTMLElement): void {
  const row = menu.parentElement
  const button = row?.querySelector('[aria-haspopup=menu]')?.getBoundingClientRect()
  const anchor = button?.width ? button : row?.getBoundingClientRect()
  if (!anchor) return
  const { width, height } = menu.getBoundingClientRect()
  const below = anchor.bottom + GAP
  const top = below + height <= innerHeight - EDGE ? below : anchor.top - GAP - height
  menu.style.top = `${Math.min(Math.max(EDGE, top), Math.max(EDGE, innerHeight - EDGE - height))}px`
  menu.style.left = `${Math.min(Math.max(EDGE, anchor.right - width), innerWidth - EDGE - width)}px`
}
