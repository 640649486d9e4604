import './forms.css'
import './dialog.css'

import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

import { t } from '../i18n/index.ts'
import { Icon } from './icons.tsx'

interface Props {
  title: string
  onClose: () => void
  children: ComponentChildren
  class?: string
}

/** A modal dialog on the browser's own element: it keeps the focus, ends with Escape, and gives the focus back. */
export function Dialog({ title, onClose, children, class: name = '' }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      class={`dialog ${name}`}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="dialog-in">
        <header>
          <h2>{title}</h2>
          <button type="button" class="icon" aria-label={t().common.close} onClick={() => dialog.current?.close()}>
            <Icon name="x" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
