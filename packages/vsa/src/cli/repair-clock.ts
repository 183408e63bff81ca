import { type ClockRepair, repairClock } from '../stores/sqlite/repair-clock.ts'
import { time } from './format.ts'
import type { Report } from './report.ts'
import { escaped } from './safe-text.ts'
import { existingStorePath } from './store-place.ts'
import { wrapped } from './table.ts'

const WIDTH = 80

/**
 * Sets store time back to `now` after a clock that was ahead has used the store. Not `ok` when rows were removed meanwhile, so that store time
 * had to stay ahead.
 * @param now the right time, ms since 1970
 * @throws CommandError, StoreError
 */
export async function setClockBack(path: string, now: number): Promise<Report> {
  const repair = await repairClock(existingStorePath(path), { to: now })
  const ok = repair.after <= now
  return { ok, json: { ok, store: path, ...repair, now }, text: textOf(path, repair, now) }
}

function textOf(path: string, { before, after, earliest }: ClockRepair, now: number): string {
  if (before <= now) return `${escaped(path)}: store time is not ahead, and nothing was changed: ${time(before)}.`
  const stopFirst =
    'Stop the process whose clock is wrong, or set its clock: its next call takes store time ahead again.'
  const lines = [
    `${escaped(path)}: store time was ${time(before)}, and is ${time(after)} now.`,
    ...wrapped(stopFirst, WIDTH),
  ]
  if (after <= now) return lines.join('\n')
  const bound =
    `It is still ahead of this machine, ${time(now)}: rows of periods up to ${time(earliest)} were removed while the clock was ahead, and would ` +
    'be minted again. From there it goes on at half speed until the clock has caught up.'
  return [...lines, ...wrapped(bound, WIDTH)].join('\n')
}
