import { hostname } from 'node:os'
import { describe } from '../core/units.ts'
import type { OpenOptions, Vsa } from './api/public-types.ts'
import { settingsOf } from './api/settings.ts'
import { Engine } from './engine.ts'
import { NaturalExit } from './natural-exit.ts'
import { realClock } from './runtime/real-clock.ts'

const naturalExit = new NaturalExit(process)

/**
 * Opens an engine on a store. Returns at once: the store is joined in the background, and requests wait for it up to their deadline.
 * Nothing is durable yet. When nothing keeps the process alive any more, an engine that is still open is closed; `process.exit()` gives it no time.
 * @throws TypeError, RangeError that name the option
 */
export function open(options: OpenOptions): Vsa {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object, got ${describe(options)}`)
  const machine = { label: `${hostname()}:${process.pid}`, clock: realClock(), random: Math.random }
  // Another clock may stand still, so that nothing is ever answered at the end of the process.
  const exit = options.clock === undefined ? naturalExit : null
  return new Engine(settingsOf(options, machine), exit)
}
