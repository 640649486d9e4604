import '../src/styles.ts'

import { render } from 'preact'

import { App } from '../src/chat/app.tsx'
import { Model } from '../src/model/model.ts'
import { FakeEngine } from './fake.ts'

/** The pages without a server: `npx vite`, then /preview.html; `?many=5000` fills the topic. */
const many = Number(new URLSearchParams(location.search).get('many') ?? 0)
render(<App model={new Model(new FakeEngine(many))} />, document.getElementById('app')!)
