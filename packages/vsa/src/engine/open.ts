import { hostname } from 'node:os'
import type { OpenOptions, Vsa } from './api/public-types.ts'
import { settingsOf } from './api/settings.ts'
import { Engine } from './engine.ts'
import { NaturalExit } from './natural-exit.ts'
import { realClock } from './runtime/real-clock.ts'

const naturalExit = new NaturalExit(process, realClock())

/**
 * Opens an engine on a store. Returns at once: the store is joined in the background, and requests wait for it up to their deadline.
 * Nothing is durable yet. When nothing keeps the process alive any more, an engine that is still open is closed; `process.exit()` gives it no time.
 * @throws TypeError, RangeError that name the option
 */
export function open(options: OpenOptions): Vsa {
  const machine = { label: `${hostname()}:${process.pid}`, clock: realClock(), random: Math.random }
  const settings = settingsOf(options, machine)
  // One clock for both: the store decides when a period ends.
  if (options.clock !== undefined) options.store.useClock?.(options.clock)
  // A clock that was given may stand still: then nothing is answered at the end of the process.
  return new Engine(settings, settings.isClockGiven ? null : naturalExit)
}
