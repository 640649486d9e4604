import { signal } from '@preact/signals'

import { Dialler } from './engine/dialler.ts'
import { Engine } from './engine/engine.ts'
import { deviceName, identity, type Identity, remember } from './engine/identity.ts'
import { IndexedStore } from './engine/indexeddb.ts'
import { MemoryStore } from './engine/memory.ts'
import { serverInfo } from './engine/server.ts'
import type { IStore } from './engine/store.ts'
import { Tabs } from './engine/tabs.ts'
import type { IEngine } from './model/engine.ts'
import { Model } from './model/model.ts'
import type { Failure } from './model/types.ts'
import type { Secrets } from './protocol/login.ts'
import { Machine } from './protocol/machine.ts'

/** How somebody enters: by a name alone in mode `open`, else with a password; or a new account is created. */
export interface Entering extends Secrets {
  account: string
}

/** What is shown: nothing yet, the way in, or the chat of an account. */
export const model = signal<Model | null>(null)
export const ready = signal(false)
/** Whether this tab holds the connection; it alone notifies. */
export const leads = signal(false)

let tabs: Tabs | null = null

/** Show the chat of whoever is logged in in this browser, or the way in. */
export async function begin(): Promise<void> {
  const who = await identity()
  if (who) open(who, {})
  ready.value = true
}

/** Log in, or create an account. Fulfilled when the server has let the account in; fails with `Failure`. */
export async function enter({ account, ...secrets }: Entering): Promise<void> {
  const before = await identity()
  const who = before?.account === account ? before : { account, device: deviceName() }
  const engine = await entered(who, secrets)
  await remember(who)
  void navigator.storage?.persist?.().catch(() => {})
  open(who, {}, engine)
}

/** Take the device back from the window in which it is used, or try a refused login again. */
export function again(): void {
  location.reload()
}

/** Show the way in; what the browser holds stays until another login or a log-out. */
export async function leave(): Promise<void> {
  tabs?.stop()
  tabs = null
  model.value?.stop()
  model.value = null
  await remember(null)
}

function open(who: Identity, secrets: Secrets, first?: Engine): void {
  let made = first
  tabs = new Tabs(
    who.account,
    who.device,
    async () => {
      const engine = made ?? (await start(who, secrets))
      made = undefined
      return engine
    },
    (engine, isLeading) => show(engine, isLeading),
  )
}

function show(engine: IEngine, isLeading: boolean): void {
  model.value?.stop()
  model.value = new Model(engine)
  leads.value = isLeading
}

async function start(who: Identity, secrets: Secrets): Promise<Engine> {
  const store = await storeOf(who.account)
  const { state } = await store.load()
  const isSame = state?.device === who.device
  const machine = new Machine(who.account, who.device, { ...secrets, state: isSame ? state : null })
  return Engine.start({ ...who, machine, store, dialler: new Dialler(serverInfo) })
}

async function storeOf(account: string): Promise<IStore> {
  try {
    return await IndexedStore.open(account)
  } catch {
    return new MemoryStore()
  }
}

/** Start an engine and wait until it is let in. */
async function entered(who: Identity, secrets: Secrets): Promise<Engine> {
  const engine = await start(who, secrets)
  return new Promise((resolve, reject) => {
    let end = () => {}
    end = engine.subscribe((changes) => {
      for (const change of changes) {
        if (change.kind !== 'link') continue
        const { state, error, why } = change.link
        if (state === 'syncing' || state === 'online') {
          queueMicrotask(() => end())
          resolve(engine)
        } else if (state === 'ended') {
          engine.stop()
          reject(error ?? ({ word: 'INTERNAL', text: why ?? '' } satisfies Failure))
        }
      }
    })
  })
}
