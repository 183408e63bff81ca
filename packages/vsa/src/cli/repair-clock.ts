import { type ClockRepair, repairClock } from '../stores/sqlite/repair-clock.ts'
import { time } from './format.ts'
import type { Report } from './report.ts'
import { escaped } from './safe-text.ts'
import { placeOf } from './stores/place-of.ts'
import { existingSqliteFile } from './stores/sqlite-place.ts'
import { wrapped } from './table.ts'

const WIDTH = 80

/**
 * Sets store time back to `now` after a clock that was ahead has used the store. Not `ok` when rows were removed meanwhile, so that store time
 * had to stay ahead.
 * @param address of a SQLite file
 * @param now the right time, ms since 1970
 * @throws CommandError, StoreError
 */
export async function setClockBack(address: string, now: number): Promise<Report> {
  const place = placeOf(address)
  const repair = await repairClock(existingSqliteFile(place, 'repair-clock'), { to: now })
  const ok = repair.after <= now
  return { ok, json: { ok, store: place.name, ...repair, now }, text: textOf(place.name, repair, now) }
}

function textOf(name: string, { before, after, earliest }: ClockRepair, now: number): string {
  if (before <= now) return `${escaped(name)}: store time is not ahead, and nothing was changed: ${time(before)}.`
  const stopFirst =
    'Stop the process whose clock is wrong, or set its clock: its next call takes store time ahead again.'
  const lines = [
    `${escaped(name)}: store time was ${time(before)}, and is ${time(after)} now.`,
    ...wrapped(stopFirst, WIDTH),
  ]
  if (after <= now) return lines.join('\n')
  const bound =
    `It is still ahead of this machine, ${time(now)}: rows of periods up to ${time(earliest)} were removed while the clock was ahead, and would ` +
    'be minted again. From there it goes on at half speed until the clock has caught up.'
  return [...lines, ...wrapped(bound, WIDTH)].join('\n')
}
