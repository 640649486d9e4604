import { Component, type ComponentChildren } from 'preact'

import { t } from '../../i18n/index.ts'

/** Draws its children; if one of them breaks, says so and offers to reload. What was written is kept. */
export class Guarded extends Component<{ children: ComponentChildren }, { error: string }> {
  override state = { error: '' }

  override componentDidCatch(error: unknown): void {
    console.error(error)
    this.setState({ error: String((error as Error).stack ?? error) })
  }

  override render() {
    if (!this.state.error) return this.props.children
    const words = t().frame
    return (
      <main class="page">
        <div class="page-in">
          <h1>{words.crashed}</h1>
          <pre>{this.state.error.slice(0, 2000)}</pre>
          <button type="button" class="primary" onClick={() => location.reload()}>
            {words.reload}
          </button>
        </div>
      </main>
    )
  }
}
