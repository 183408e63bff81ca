import { channel } from 'node:diagnostics_channel'
import { isWarning, type VsaEvent } from './events.ts'

export type Announce = (event: VsaEvent) => void

/** Every event is published here as well, as the same object. */
const events = channel('vsa')

/**
 * Tells the user's listener, or `console.warn` where there is none, and the diagnostics channel `vsa`.
 * A listener that throws is not the engine's business: the error is printed and the engine goes on.
 */
export function announcer(onEvent: ((event: VsaEvent) => void) | undefined): Announce {
  return (event) => {
    events.publish(event)
    try {
      if (onEvent !== undefined) onEvent(event)
      else if (isWarning(event)) console.warn(`vsa: ${JSON.stringify(event, errorAsText)}`)
    } catch (error) {
      console.warn('vsa: the onEvent listener threw', error)
    }
  }
}

function errorAsText(_name: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value
}
