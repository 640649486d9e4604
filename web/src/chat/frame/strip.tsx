import { useEffect, useState } from 'preact/hooks'

import { t } from '../../i18n/index.ts'
import type { Model } from '../../model/model.ts'
import { again, leave } from '../../session.ts'
import { failureText } from '../../ui/failure.ts'
import { Icon } from '../../ui/icons.tsx'

/** How long it is said that the connection is there again, and how short a loss is not worth a word, in ms. */
const NEWS = 4000
const SHORT = 1500

/** The state of the connection for those who do not see: `Offline`, `Connected`. */
export function Status({ model }: { model: Model }) {
  return (
    <p class="vh" role="status">
      {t().frame.status[model.link.value.state]}
    </p>
  )
}

/** What there is to say about the connection, above the messages. */
export function Strip({ model }: { model: Model }) {
  const { state, why = '', error, caughtUp, durable } = model.link.value
  const [isLong, setLong] = useState(false)
  const [news, setNews] = useState(false)
  const words = t().frame
  useEffect(() => {
    if (state === 'online') {
      setLong(false)
      if (!isLong || !caughtUp) return undefined
      setNews(true)
      const timer = setTimeout(() => setNews(false), NEWS)
      return () => clearTimeout(timer)
    }
    const timer = setTimeout(() => setLong(true), SHORT)
    return () => clearTimeout(timer)
  }, [state])
  if (state === 'ended') {
    return (
      <div class="banner ended" role="alert">
        <Icon name="cut" />
        <span>
          {words.ended[why] ?? words.ended.refused} {error && failureText(error)}
        </span>
        <button type="button" onClick={() => (why === 'replaced' ? again() : void leave())}>
          {why === 'replaced' ? words.useHere : words.logInAgain}
        </button>
      </div>
    )
  }
  if (state !== 'online' && (isLong || !navigator.onLine)) {
    return (
      <div class="banner">
        <Icon name="cut" />
        <span>{durable ? words.offlineStrip : words.notDurable}</span>
        <button type="button" onClick={() => model.engine.connectNow()}>
          {words.retryNow}
        </button>
      </div>
    )
  }
  if (news) return <div class="banner good">{words.caughtUp(caughtUp)}</div>
  if (!durable) return <div class="banner">{words.notDurable}</div>
  return null
}
