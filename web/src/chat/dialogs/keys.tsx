import { t } from '../../i18n/index.ts'
import { Dialog } from '../../ui/dialog.tsx'

/** The list of keys. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const words = t().frame
  return (
    <Dialog title={words.keys} onClose={onClose}>
      <dl class="keys">
        {words.keyList.map(([key, what]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
    </Dialog>
  )
}
