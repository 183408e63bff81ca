import type { Paint } from '../paint.ts'
import { type LiveLine, liveLine } from '../progress.ts'
import type { Report } from '../report.ts'
import type { StorePlace } from '../stores/store-place.ts'
import { placeOf } from '../stores/place-of.ts'
import { sqlitePlace } from '../stores/sqlite-place.ts'
import { withTemporaryFolder } from '../temporary-folder.ts'
import { agentsReport } from './agents-report.ts'
import { agentsStory } from './agents.ts'
import { demoReport } from './demo-report.ts'
import { fullSpeed } from './full-speed.ts'
import { killInTheMiddle } from './kill.ts'
import { netEffect } from './net-effect.ts'

export interface DemoOptions {
  /** The address of a new store to keep; absent for a temporary SQLite file. */
  readonly store?: string
  /** How long part (b) runs, in seconds. */
  readonly seconds: number
  readonly showsProgress: boolean
  /** Of the text. */
  readonly paint: Paint
  /** The file of the command line. Part (c) starts it as the process to kill. */
  readonly cliPath: string
}

/** Shows what VSA does, on a real database: the net effect, full speed, and a kill. */
export function demo(options: DemoOptions): Promise<Report> {
  return onNewStore(options, async ({ place, live, temporary, kept }) => {
    live.show(() => 'a million operations on one key')
    const net = await netEffect(place)
    const speed = await fullSpeed(place, options.seconds, live)
    live.show(() => 'killing a process in the middle of admitting')
    const kill = await killInTheMiddle(options.cliPath, place, temporary('tally'))
    live.done()
    return demoReport({ net, speed, kill, store: kept }, options.paint)
  })
}

/** Shows a durable reservation: five agents and one budget, and the one that runs is killed. */
export function demoAgents(options: Omit<DemoOptions, 'seconds'>): Promise<Report> {
  return onNewStore(options, async ({ place, live, kept }) => {
    const story = await agentsStory(options.cliPath, place, (text) => live.show(() => text))
    live.done()
    return agentsReport(story, kept, options.paint)
  })
}

interface Stage {
  readonly place: StorePlace
  readonly live: LiveLine
  /** The path of a file that is removed afterwards. */
  readonly temporary: (name: string) => string
  /** The name of a store that is kept; else null. */
  readonly kept: string | null
}

async function onNewStore(
  { store, showsProgress }: Pick<DemoOptions, 'store' | 'showsProgress'>,
  show: (stage: Stage) => Promise<Report>,
): Promise<Report> {
  const kept = store === undefined ? undefined : placeOf(store)
  await kept?.assertNew()
  const live = liveLine(showsProgress)
  return withTemporaryFolder((temporary) => {
    const place = kept ?? sqlitePlace(`sqlite:${temporary('demo.db')}`, temporary('demo.db'))
    return show({ place, live, temporary, kept: kept?.name ?? null })
  })
}
