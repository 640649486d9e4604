import { Component, type ComponentChild } from 'preact'

/** Return a component that is drawn anew only when one of its properties is another one. */
export function pure<P extends object>(draw: (props: P) => ComponentChild) {
  return class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const before = this.props as Record<string, unknown>
      return Object.entries(next).some(([name, value]) => before[name] !== value)
    }

    override render(props: P): ComponentChild {
      return draw(props)
    }
  }
}
