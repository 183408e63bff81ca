import { channel } from 'node:diagnostics_channel'
import { isWarning, type VsaEvent } from './events.ts'

export type EventSink = (event: VsaEvent) => void

type EventListener = (event: VsaEvent) => unknown

/** Every event is published here as well, as the same object. */
const events = channel('vsa')

/**
 * Passes each event to the user's listener, or to `console.warn` where there is none, and to the diagnostics channel `vsa`.
 * An error that the listener throws, or rejects with, is printed, and the engine goes on.
 *
 * Events are delivered after the work that raised them, in order: a listener may call anything, and must not do so while an answer is
 * taken in by half.
 */
export function eventSink(onEvent: EventListener | undefined): EventSink {
  let raised: VsaEvent[] = []
  const deliver = (): void => {
    const due = raised
    raised = []
    for (const event of due) tell(onEvent, event)
  }
  return (event) => {
    if (raised.push(event) === 1) queueMicrotask(deliver)
  }
}

function tell(onEvent: EventListener | undefined, event: VsaEvent): void {
  try {
    events.publish(event)
    if (onEvent !== undefined) watch(onEvent(event))
    else if (isWarning(event)) console.warn(`vsa: ${JSON.stringify(event, errorAsText)}`)
  } catch (error) {
    listenerFailed(error)
  }
}

/** A listener may be an async function, though nothing waits for it: without this its rejection would end the process. */
function watch(returned: unknown): void {
  if (typeof returned === 'object' && returned !== null && 'then' in returned)
    Promise.resolve(returned).catch(listenerFailed)
}

function listenerFailed(error: unknown): void {
  console.warn('vsa: the onEvent listener failed', error)
}

function errorAsText(_name: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value
}
