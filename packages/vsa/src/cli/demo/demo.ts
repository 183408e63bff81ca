import type { Paint } from '../paint.ts'
import { liveLine } from '../progress.ts'
import type { Report } from '../report.ts'
import { newStorePath, withTemporaryFolder } from '../store-place.ts'
import { demoReport } from './demo-report.ts'
import { fullSpeed } from './full-speed.ts'
import { killInTheMiddle } from './kill.ts'
import { netEffect } from './net-effect.ts'

export interface DemoOptions {
  /** A new SQLite file to keep; absent for a temporary one. */
  readonly storePath?: string
  /** How long part (b) runs, in seconds. */
  readonly seconds: number
  readonly showsProgress: boolean
  /** Of the text. */
  readonly paint: Paint
  /** The file of the command line. Part (c) starts it as the process to kill. */
  readonly cliPath: string
}

/** Shows what VSA does, on a real SQLite file: the net effect, full speed, and a kill. */
export async function demo(options: DemoOptions): Promise<Report> {
  const kept = options.storePath === undefined ? undefined : newStorePath(options.storePath)
  const live = liveLine(options.showsProgress)
  return withTemporaryFolder(async (temporary) => {
    const storePath = kept ?? temporary('demo.db')
    live.show(() => 'a million operations on one key')
    const net = await netEffect(storePath)
    const speed = await fullSpeed(storePath, options.seconds, live)
    live.show(() => 'killing a process in the middle of admitting')
    const kill = await killInTheMiddle(options.cliPath, storePath, temporary('tally'))
    live.done()
    return demoReport({ net, speed, kill, storePath: kept ?? null }, options.paint)
  })
}
