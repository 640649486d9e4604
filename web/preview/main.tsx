import '../src/styles.ts'

import { render } from 'preact'

import { App } from '../src/chat/app.tsx'
import { loadTexts } from '../src/i18n/index.ts'
import { Model } from '../src/model/model.ts'
import { FakeEngine } from './fake.ts'

/** The pages without a server: `npx vite`, then /preview.html; `?many=5000` fills the topic. */
const many = Number(new URLSearchParams(location.search).get('many') ?? 0)
await loadTexts()
render(<App model={new Model(new FakeEngine(many))} />, document.getElementById('app')!)
