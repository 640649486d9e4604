import type { IEngine } from '../model/engine.ts'
import { channelOf, Remote, serve } from './remote.ts'

/** The engine of this tab changes when it begins to lead. */
export type Became = (engine: IEngine, leads: boolean) => void

/**
 * One tab of an account leads: it holds a lock of the browser as long as it is there, and the connection of the device.
 *
 * The others follow. When the leading tab closes, the browser gives the lock to the next one; when it is frozen and does
 * not answer, another one takes the lock away. `lead` makes the engine of a leading tab.
 */
export class Tabs {
  private readonly channel: BroadcastChannel
  private readonly lock: string
  private readonly lead: () => Promise<IEngine>
  private readonly became: Became
  private remote: Remote | null = null
  private engine: IEngine | null = null
  private release: () => void = () => {}
  private stealing = false
  private stopped = false

  private readonly account: string
  private readonly device: string

  constructor(account: string, device: string, lead: () => Promise<IEngine>, became: Became) {
    this.account = account
    this.device = device
    this.channel = channelOf(account)
    this.lock = `fishchat:${account}`
    this.lead = lead
    this.became = became
    document.addEventListener('visibilitychange', this.looked)
    if (!('locks' in navigator)) void this.leading()
    else {
      void this.hold({ ifAvailable: true }).then((held) => {
        if (!held) this.follow()
      })
    }
  }

  /** Give up: this tab shows nothing of the account any more. */
  stop(): void {
    this.stopped = true
    document.removeEventListener('visibilitychange', this.looked)
    this.remote?.stop()
    this.engine?.stop()
    this.release()
    this.channel.close()
  }

  private readonly looked = () => {
    if (document.visibilityState === 'visible' && !this.engine) this.remote?.probe()
  }

  /** Hold the lock and lead until it is taken away. Returns false if another tab holds it and this one is not to wait. */
  private async hold(options: LockOptions): Promise<boolean> {
    let held = true
    try {
      await navigator.locks.request(this.lock, options, async (lock) => {
        held = lock !== null
        if (lock) await this.leading()
      })
    } catch {
      // Another tab took the lock away while this one was frozen.
      this.engine?.stop()
      this.engine = null
      this.release()
      if (!this.stopped) this.follow()
    }
    return held
  }

  private follow(): void {
    this.remote = new Remote(this.account, this.device, this.channel, () => this.steal())
    this.became(this.remote, false)
    void this.hold({})
  }

  private steal(): void {
    if (this.stealing || this.engine || document.visibilityState !== 'visible') return
    this.stealing = true
    void this.hold({ steal: true }).finally(() => {
      this.stealing = false
    })
  }

  /** Lead until the end of this tab's time. */
  private async leading(): Promise<void> {
    if (this.engine || this.stopped) return
    const engine = await this.lead()
    this.engine = engine
    this.remote?.handOver(engine)
    this.remote = null
    this.became(engine, true)
    const end = serve(engine, this.channel)
    await new Promise<void>((resolve) => {
      this.release = resolve
    })
    end()
  }
}
