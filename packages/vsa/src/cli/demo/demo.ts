import type { Paint } from '../paint.ts'
import { liveLine } from '../progress.ts'
import type { Report } from '../report.ts'
import { placeOf } from '../stores/place-of.ts'
import { sqlitePlace } from '../stores/sqlite-place.ts'
import { withTemporaryFolder } from '../temporary-folder.ts'
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
export async function demo(options: DemoOptions): Promise<Report> {
  const kept = options.store === undefined ? undefined : placeOf(options.store)
  await kept?.assertNew()
  const live = liveLine(options.showsProgress)
  return withTemporaryFolder(async (temporary) => {
    const place = kept ?? sqlitePlace(`sqlite:${temporary('demo.db')}`, temporary('demo.db'))
    live.show(() => 'a million operations on one key')
    const net = await netEffect(place)
    const speed = await fullSpeed(place, options.seconds, live)
    live.show(() => 'killing a process in the middle of admitting')
    const kill = await killInTheMiddle(options.cliPath, place, temporary('tally'))
    live.done()
    return demoReport({ net, speed, kill, store: kept?.name ?? null }, options.paint)
  })
}
