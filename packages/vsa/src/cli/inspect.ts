import type { ListedRow, OwnerRow } from '../index.ts'
import type { CounterRow, Inspection } from '../stores/sqlite/inspect.ts'
import { count, counted, period, printable, time } from './format.ts'
import { CommandError, type Report } from './report.ts'
import { countersOf, inspecting, rowsOf } from './store-reader.ts'
import { columns, table } from './table.ts'

interface Contents {
  readonly budgets: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: readonly CounterRow[]
}

/** The contents of a store; with a key, the periods and leases of that budget and the counter of that name. JSON has every row, text `rowsMax` rows of each table. */
export async function inspect(path: string, key: string | undefined, rowsMax: number): Promise<Report> {
  const contents = await inspecting(path, (inspection) => contentsOf(inspection, key))
  if (key !== undefined && contents.budgets.length + contents.counters.length === 0) {
    throw new CommandError('unknown_key', `${path} has no budget and no counter called ${JSON.stringify(key)}`)
  }
  return { ok: true, json: jsonOf(path, contents), text: textOf(contents, key !== undefined, rowsMax) }
}

function contentsOf(inspection: Inspection, key: string | undefined): Contents {
  const budgets = [...rowsOf(inspection, key)]
  const counters = [...countersOf(inspection)]
  const owners = inspection.owners()
  if (key === undefined) return { budgets, counters, owners }
  const holders = new Set(budgets.flatMap(({ leases }) => leases.map(({ epoch }) => epoch)))
  return {
    budgets,
    counters: counters.filter((counter) => counter.key === key),
    owners: owners.filter(({ epoch }) => holders.has(epoch)),
  }
}

function jsonOf(store: string, { budgets, owners, counters }: Contents): unknown {
  return {
    store,
    budgets: budgets.map(({ budget, leases }) => ({
      ...budget,
      leases: leases.map(({ epoch, held }) => ({ epoch, held })),
    })),
    owners,
    counters,
  }
}

function textOf({ budgets, owners, counters }: Contents, isOne: boolean, rowsMax: number): string {
  const sections = [
    section('Budgets', 'budget', budgets, rowsMax, budgetTable),
    isOne ? section('Leases', 'lease', budgets.flatMap(leasesOf(owners)), rowsMax, leaseTable) : '',
    section('Owners', 'owner', owners.toReversed(), rowsMax, ownerTable),
    section('Counters', 'counter', counters, rowsMax, counterTable),
  ]
  const shown = sections.filter((text) => text !== '')
  return shown.length === 0 ? 'The store is empty.' : shown.join('\n\n')
}

function section<T>(
  title: string,
  noun: string,
  rows: readonly T[],
  rowsMax: number,
  draw: (rows: readonly T[]) => string,
): string {
  if (rows.length === 0) return ''
  const more = rows.length > rowsMax ? `\n... and ${counted(rows.length - rowsMax, `more ${noun}`)}: see --rows` : ''
  return `${title}: ${count(rows.length)}\n${draw(rows.slice(0, rowsMax))}${more}`
}

function budgetTable(rows: readonly ListedRow[]): string {
  return table(
    columns('key', 'period', '>limit', '>minted', '>used', '>pool', '>burned', '>leased', '>owners'),
    rows.map(({ budget, leases }) => {
      const leased = leases.reduce((sum, { held }) => sum + held, 0)
      const units = [budget.limit, budget.minted, budget.used, budget.pool, budget.burned, leased, leases.length]
      return [printable(budget.key), period(budget.period), ...units.map(count)]
    }),
  )
}

interface ShownLease {
  readonly period: number
  readonly epoch: number
  readonly held: number
  readonly label: string
}

function leasesOf(owners: readonly OwnerRow[]): (row: ListedRow) => readonly ShownLease[] {
  const labels = new Map(owners.map(({ epoch, label }) => [epoch, label]))
  return ({ leases }) =>
    leases.map(({ period, epoch, held }) => ({ period, epoch, held, label: labels.get(epoch) ?? '?' }))
}

function leaseTable(rows: readonly ShownLease[]): string {
  return table(
    columns('period', '>units', '>epoch', 'owner'),
    rows.map((row) => [period(row.period), count(row.held), String(row.epoch), printable(row.label)]),
  )
}

/** Newest first, because a store with many restarts has many old owners. */
function ownerTable(rows: readonly OwnerRow[]): string {
  return table(
    columns('>epoch', 'state', 'last seen', 'expires', '>batches', 'label'),
    rows.map(({ epoch, state, seenAt, expiresAt, seq, label }) => [
      String(epoch),
      state,
      time(seenAt),
      state === 'open' ? time(expiresAt) : '-',
      count(seq),
      printable(label),
    ]),
  )
}

function counterTable(rows: readonly CounterRow[]): string {
  return table(
    columns('key', '>value'),
    rows.map(({ key, value }) => [printable(key), count(value)]),
  )
}
