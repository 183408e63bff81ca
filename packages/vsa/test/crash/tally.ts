import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What the children wrote down of one budget, in units. */
export interface Tally {
  /** Asked for; the line came before the call. */
  readonly intended: number
  /** Told `true`. */
  readonly admitted: number
  /** Told `false`, or failed and surely not applied. */
  readonly denied: number
  /** Given back; the line came before the call, so never less than what the store accepted. */
  readonly refunded: number
}

export interface Tallies {
  readonly budgets: ReadonlyMap<string, Tally>
  /** Events and error codes, and how often each came. */
  readonly events: ReadonlyMap<string, number>
  /** Files with at least one admission in them. */
  readonly busyChildren: number
}

const NOTHING: Tally = { intended: 0, admitted: 0, denied: 0, refunded: 0 }

/** Adds up the files in `folder`. A line that a kill cut short is half a fact: it counts for nothing, as its call was not told. */
export function readTallies(folder: string): Tallies {
  const budgets = new Map<string, Tally>()
  const events = new Map<string, number>()
  let busyChildren = 0
  for (const name of readdirSync(folder)) {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    lines.pop()
    if (lines.some((line) => line.startsWith('A '))) busyChildren += 1
    for (const line of lines) {
      const [mark = '', key = '', units = ''] = line.split(' ')
      if (mark === 'E') events.set(key, (events.get(key) ?? 0) + 1)
      else budgets.set(key, added(budgets.get(key) ?? NOTHING, mark, Number(units)))
    }
  }
  return { budgets, events, busyChildren }
}

/** What was asked for and not answered: it may have been admitted. */
export function openUnits({ intended, admitted, denied }: Tally): number {
  return intended - admitted - denied
}

function added(tally: Tally, mark: string, units: number): Tally {
  switch (mark) {
    case 'I':
      return { ...tally, intended: tally.intended + units }
    case 'A':
      return { ...tally, admitted: tally.admitted + units }
    case 'D':
      return { ...tally, denied: tally.denied + units }
    case 'R':
      return { ...tally, refunded: tally.refunded + units }
    default:
      return tally
  }
}
