import type { Figure } from '../page/plots/figure.ts'
import type { Axis, Line, Point } from '../page/plots/panel.ts'
import type { LoadCost } from './offered-load.ts'
import type { Scale } from './scale-run.ts'

const decades = (low: number, high: number): number[] =>
  Array.from({ length: high - low + 1 }, (_, at) => Number(`1e${low + at}`))

function log(label: string, low: number, high: number): Axis {
  return { label, kind: 'log', ticks: decades(low, high), domain: [Number(`1e${low}`), Number(`1e${high}`)] }
}

function points<T>(rows: readonly T[], x: (row: T) => number, y: (row: T) => number): Point[] {
  return rows.map((row) => ({ x: x(row), y: y(row) }))
}

const rowsOf = ({ records, leaseRecords }: LoadCost): number => records + leaseRecords
const secondsOf = ({ durationMs }: LoadCost): number => durationMs / 1_000

/** The plots of the page, each with one size that varies. */
export function scaleFigures(scale: Scale): readonly Figure[] {
  return [operations(scale), keys(scale), owners(scale), flushInterval(scale), atRisk(scale)]
}

function operations({ operations: loads, gate }: Scale): Figure {
  const x = log('operations in 10 seconds, on 128 keys', 3, 8)
  return {
    name: 'scale-operations',
    alt: 'Rows written and store calls stay the same from a hundred thousand operations to a hundred million; the time of a decision stays the same, too.',
    panels: [
      {
        title: 'The store: work per key and flush',
        x,
        y: log('rows written, store calls', 1, 8),
        lines: [
          {
            ...byHand(
              points(
                loads,
                (one) => one.operations,
                (one) => one.operations,
              ),
            ),
            name: 'one row for each operation',
            labelAt: 3,
            label: { dx: -10, dy: -8 },
          },
          { name: 'rows', color: 'vsa-leased', points: points(loads, (one) => one.operations, rowsOf) },
          {
            name: 'store calls',
            color: 'per-request',
            points: points(
              loads,
              (one) => one.operations,
              (one) => one.exchanges,
            ),
          },
        ],
      },
      {
        title: 'The gate: one comparison',
        x: { ...x, label: 'decisions in a row, on 128 keys' },
        y: { label: 'ns per decision', kind: 'linear', ticks: [0, 2, 4, 6, 8, 10], domain: [0, 10] },
        lines: [
          {
            name: 'tryAdmit',
            color: 'vsa-durable',
            points: points(
              gate.times,
              (one) => one.operations,
              (one) => one.nsPerDecision,
            ),
          },
        ],
      },
    ],
  }
}

function keys({ keys: leased, keysDurable }: Scale): Figure {
  const x = log('keys, at 100,000 operations/s in all', 0, 6)
  const keysOf = (one: LoadCost): number => one.keys
  const rowsEach = (one: LoadCost): number => rowsOf(one) / one.operations
  const callsPerThousand = (one: LoadCost): number => (1_000 * one.exchanges) / one.operations
  const flat = (y: number): Point[] => leased.map((one) => ({ x: one.keys, y }))
  return {
    name: 'scale-keys',
    alt: 'With more keys an operation costs more rows: as many as by hand from ten thousand keys on, and four with a lease where each key is used once.',
    panels: [
      {
        title: 'Rows: the benefit ends where keys are cold',
        x,
        y: log('rows written for each operation', -4, 1),
        lines: [
          { ...byHand(flat(1)), name: 'one row for each operation', labelAt: 0, label: { dy: -10, anchor: 'start' } },
          {
            name: 'durable',
            color: 'vsa-durable',
            points: points(keysDurable, keysOf, rowsEach),
            labelAt: 1,
            label: { dx: -6, dy: -12 },
          },
          {
            name: 'leased',
            color: 'vsa-leased',
            points: points(leased, keysOf, rowsEach),
            labelAt: 2,
            label: { dx: 12, dy: 8, anchor: 'start' },
          },
        ],
      },
      {
        title: 'Store calls: up to 1,000 rows share one',
        x,
        y: log('store calls per 1,000 operations', -1, 3),
        lines: [
          {
            ...byHand(flat(1_000)),
            name: 'one call for each operation',
            labelAt: 0,
            label: { dy: 14, anchor: 'start' },
          },
          {
            name: 'durable',
            color: 'vsa-durable',
            points: points(keysDurable, keysOf, callsPerThousand),
            labelAt: 0,
            label: { dy: -12, anchor: 'start' },
          },
          {
            name: 'leased',
            color: 'vsa-leased',
            points: points(leased, keysOf, callsPerThousand),
            labelAt: 0,
            label: { dy: -10, anchor: 'start' },
          },
        ],
      },
    ],
  }
}

function owners({ owners: loads }: Scale): Figure {
  const x: Axis = {
    label: 'owners: processes that spend the same 128 keys',
    kind: 'linear',
    ticks: [1, 2, 4, 8, 16],
    domain: [0, 16],
  }
  return {
    name: 'scale-owners',
    alt: 'Store calls and rows grow with the number of owners, and not with the operations.',
    panels: [
      {
        title: 'Store calls: each owner flushes',
        x,
        y: { label: 'store calls/s, all owners', kind: 'linear', ticks: [0, 50, 100, 150, 200], domain: [0, 200] },
        lines: [
          {
            name: 'store calls',
            color: 'per-request',
            points: points(
              loads,
              (one) => one.owners,
              (one) => one.exchanges / secondsOf(one),
            ),
          },
        ],
      },
      {
        title: 'Rows, at 100,000 operations/s in all',
        x,
        y: {
          label: 'rows written/s, all owners',
          kind: 'linear',
          ticks: [0, 5_000, 10_000, 15_000, 20_000, 25_000],
          domain: [0, 25_000],
        },
        lines: [
          {
            name: 'rows',
            color: 'vsa-leased',
            points: points(
              loads,
              (one) => one.owners,
              (one) => rowsOf(one) / secondsOf(one),
            ),
          },
        ],
      },
    ],
  }
}

function flushInterval({ flushInterval: loads }: Scale): Figure {
  const x: Axis = { ...log('ms between flushes', 1, 4), ticks: [10, 100, 1_000, 10_000] }
  const interval = (one: LoadCost): number => one.flushIntervalMs
  return {
    name: 'scale-flush-interval',
    alt: 'Ten times the flush interval is a tenth of the store calls and rows, up to a third of the time that an owner keeps its leases for.',
    panels: [
      {
        title: 'Store calls',
        x,
        y: log('store calls/s', -1, 2),
        lines: [
          {
            name: 'store calls',
            color: 'per-request',
            points: points(loads, interval, (one) => one.exchanges / secondsOf(one)),
            labelAt: 2,
            label: { dx: 10, dy: -8, anchor: 'start' },
          },
        ],
      },
      {
        title: 'Rows, of 128 keys and 33,000 operations/s',
        x,
        y: log('rows written/s', 1, 5),
        lines: [
          {
            name: 'rows',
            color: 'vsa-leased',
            points: points(loads, interval, (one) => rowsOf(one) / secondsOf(one)),
            labelAt: 2,
            label: { dx: 10, dy: -8, anchor: 'start' },
          },
        ],
      },
    ],
  }
}

function atRisk({ atRisk: losses }: Scale): Figure {
  const ticks = losses.map((one) => one.atRisk)
  const x: Axis = {
    label: 'atRisk, in units, of a key that spends 10,000 units/s',
    kind: 'steps',
    ticks,
    domain: [0, 1],
  }
  const risk = (one: { readonly atRisk: number }): number => one.atRisk
  return {
    name: 'scale-at-risk',
    alt: 'A crash burns at most atRisk units, and no more than the lease that the demand needs; with more at risk there are fewer store calls.',
    panels: [
      {
        title: 'What a crash burns at most',
        x,
        y: {
          label: 'units: the most that burned, and of these the mean of those never admitted',
          kind: 'symlog',
          ticks: [0, 1, 10, 100, 1e3, 1e4, 1e5],
          domain: [0, 1e5],
        },
        lines: [
          {
            ...byHand(points(losses, risk, risk)),
            name: 'the bound',
            labelAt: losses.length - 2,
            label: { dx: -12, dy: -6 },
          },
          { name: 'burned', color: 'vsa-leased', points: points(losses, risk, (one) => one.burnedMost) },
          {
            name: 'never admitted',
            color: 'per-request',
            points: points(losses, risk, (one) => one.unusedMean),
            label: { dy: 18 },
          },
        ],
      },
      {
        title: 'What it saves',
        x,
        y: {
          label: 'store calls per 1,000 operations, which come 100 at a time',
          kind: 'linear',
          ticks: [0, 2, 4, 6, 8, 10],
          domain: [0, 10],
        },
        lines: [
          { name: 'store calls', color: 'per-request', points: points(losses, risk, (one) => one.callsPerThousand) },
        ],
      },
    ],
  }
}

function byHand(all: readonly Point[]): Pick<Line, 'color' | 'isDashed' | 'points'> {
  return { color: 'in-memory', isDashed: true, points: all }
}
