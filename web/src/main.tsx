import './styles.ts'

import { render } from 'preact'

import { App } from './chat/app.tsx'
import { Entry } from './chat/entry/entry.tsx'
import { Guarded } from './chat/frame/guarded.tsx'
import { begin, model, ready } from './session.ts'
import { dress } from './chat/settings/dress.ts'
import { registerWorker } from './worker.ts'

function Page() {
  if (!ready.value) return null
  return model.value ? <App key={model.value.account} model={model.value} /> : <Entry />
}

dress()
registerWorker()
void begin()
render(
  <Guarded>
    <Page />
  </Guarded>,
  document.getElementById('app')!,
)
