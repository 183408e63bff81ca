import { channel } from 'node:diagnostics_channel'
import { isWarning, type VsaEvent } from './events.ts'

export type EventSink = (event: VsaEvent) => void

/** Every event is published here as well, as the same object. */
const events = channel('vsa')

/**
 * Passes each event to the user's listener, or to `console.warn` where there is none, and to the diagnostics channel `vsa`.
 * An error that the listener throws is printed, and the engine goes on.
 */
export function eventSink(onEvent: ((event: VsaEvent) => void) | undefined): EventSink {
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
