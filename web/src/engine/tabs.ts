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

  constructor(account: string, device: string, lead: () => Promise<IEngine>, became: Became) {
    this.channel = channelOf(account)
    this.lock = `fishchat:${account}`
    this.lead = lead
    this.became = became
    void navigator.locks.request(this.lock, { ifAvailable: true }, async (lock) => {
      if (lock) return this.leading()
      this.follow(account, device)
      return undefined
    })
  }

  /** Give up: this tab shows nothing of the account any more. */
  stop(): void {
    this.remote?.stop()
    this.engine?.stop()
    this.release()
    this.channel.close()
  }

  private follow(account: string, device: string): void {
    this.remote = new Remote(account, device, this.channel, () => this.steal())
    this.became(this.remote, false)
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && !this.engine) this.remote?.probe()
    })
    void navigator.locks.request(this.lock, () => this.leading()).catch(() => {})
  }

  private steal(): void {
    if (this.stealing || this.engine || document.visibilityState !== 'visible') return
    this.stealing = true
    void navigator.locks.request(this.lock, { steal: true }, () => this.leading()).catch(() => {})
  }

  /** Lead until the lock is taken away. */
  private async leading(): Promise<void> {
    if (this.engine) return
    const engine = await this.lead()
    this.engine = engine
    this.remote?.handOver(engine)
    this.became(engine, true)
    const end = serve(engine, this.channel)
    await new Promise<void>((resolve) => {
      this.release = resolve
    })
    end()
  }
}
