import { readFileSync } from 'node:fs'

import type { Event } from '../src/protocol/events.ts'
import { Machine, type Options } from '../src/protocol/machine.ts'

/** Return vectors that the Python library wrote: `python -m fishchat.test.client.vectors` writes them anew. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8')) as T
}

/** Return a machine as the vectors have it: without times, which the Python library does not ask for. */
export function made(options: Options = {}): Machine {
  return new Machine('alice', 'web', { capabilities: ['lazy', 'ops'], ...options })
}

/** Return such a machine that is logged in, with nothing to tell and nothing to send. */
export function online(): Machine {
  const machine = made()
  machine.connected(0)
  for (const line of ['HELLO fishchat/1 server=ms1 auth=open sasl=', 'OK HELLO fishchat/1 caps=ack,lazy,ops', 'OK SEND_CLIENT_ID alice']) {
    machine.lines(0)
    machine.received(line, 0)
  }
  machine.events()
  return machine
}

/** Return an event as the vectors write it. */
export function shown(event: Event): Record<string, unknown> {
  if (event.type === 'settled') {
    const { type, key, value, error } = event
    return { type, key, value: value ?? null, error: error?.word ?? null }
  }
  if (event.type === 'broken') return { type: event.type }
  if (event.type === 'ended') return { ...event, error: event.error?.word ?? null }
  if (event.type === 'message' || event.type === 'notice') {
    const { time: _, ...rest } = event
    return rest
  }
  return { ...event }
}
