import { type ComponentType, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'

const RELOADED = 'reloaded'

/**
 * Return a component whose code is loaded when it is first drawn.
 *
 * After an upgrade of the server the old parts are gone: then the page reloads, once.
 */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>) {
  let loaded: ComponentType<P> | null = null
  return function Lazy(props: P) {
    const [, redraw] = useState(false)
    useEffect(() => {
      if (loaded) return
      load().then(
        (component) => {
          loaded = component
          sessionStorage.removeItem(RELOADED)
          redraw(true)
        },
        () => {
          if (sessionStorage.getItem(RELOADED)) return
          sessionStorage.setItem(RELOADED, 'yes')
          location.reload()
        },
      )
    }, [])
    return loaded && h(loaded, props)
  }
}
