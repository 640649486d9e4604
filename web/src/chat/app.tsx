import { Model } from '../model/model.ts'

/** The chat of one account that is logged in. */
export function App({ model }: { model: Model }) {
  return <div class="app">{model.account}</div>
}
