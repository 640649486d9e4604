import './styles.ts'

import { render } from 'preact'

import { App } from './chat/app.tsx'
import { Guarded } from './chat/frame/guarded.tsx'
import { loadTexts } from './i18n/index.ts'
import { begin, model, ready } from './session.ts'
import { dress } from './chat/settings/dress.ts'
import { lazy } from './ui/lazy.tsx'
import { registerWorker } from './worker.ts'

const Entry = lazy(() => import('./chat/entry/entry.tsx').then((it) => it.Entry))

function Page() {
  if (!ready.value) return null
  return model.value ? <App key={model.value.account} model={model.value} /> : <Entry />
}

dress()
registerWorker()
await Promise.all([loadTexts(), begin()])
render(
  <Guarded>
    <Page />
  </Guarded>,
  document.getElementById('app')!,
)
