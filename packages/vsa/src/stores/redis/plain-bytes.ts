import type { Batch, Take } from '../../core/exchange.ts'
import { fieldOf, idFieldOf } from './keys.ts'
import { DOUBLE, NULL, writeDoubles } from './rows.ts'

/* A plain batch as one argument of `EXCHANGE`, because an argument for each name costs the client more than all the rest. */

/** epoch, seq, close, five lengths, and where the texts begin. */
const HEAD_DOUBLES = 9
/** For each policy, and for each mint. */
const POLICY_DOUBLES = 7
const MINT_DOUBLES = 2
/** The length of a text. */
const LENGTH_BYTES = 4
/** UTF-8 takes at most so many bytes for each UTF-16 unit. */
const UTF8_MAX = 3

/** @param run the process of the server that was checked */
export function plainBytes({ epoch, token, incarnation, seq, entries, takes, close }: Batch, run: string): Buffer {
  const [budgets, counters, policies, mints]: [number[], number[], number[], number[]] = [[], [], [], []]
  const [fields, counterKeys, mintFields]: [string[], string[], string[]] = [[], [], []]
  /** By index in the batch; from 1, as in Lua. */
  const positions: number[] = []
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'counter') {
      counters.push(entry.add)
      counterKeys.push(entry.key)
    } else if (entry.kind === 'budget') {
      const { known, spent, refund, hold, wantMs, policy, mint } = entry
      budgets.push(known ? 1 : 0, spent, refund, hold, wantMs, index)
      const position = fields.push(fieldOf(entry))
      positions[index] = position
      if (policy !== undefined) {
        const { kind, limit, burnMax, version, endsAt, keepUntil } = policy
        policies.push(position, kind === 'initial' ? 0 : 1, limit, burnMax, version, endsAt ?? NULL, keepUntil ?? NULL)
      }
      if (mint !== undefined) {
        mints.push(position, mint.units)
        mintFields.push(idFieldOf(entry.key, mint.id))
      }
    }
  }
  const sections = [budgets, counters, policies, mints, takeNumbers(takes, positions)]
  const textsFrom = sections.reduce((sum, { length }) => sum + length, HEAD_DOUBLES) * DOUBLE
  const counts = [
    fields.length,
    counters.length,
    policies.length / POLICY_DOUBLES,
    mints.length / MINT_DOUBLES,
    takes.length,
  ]
  const texts = [token, run, incarnation, ...fields, ...counterKeys, ...mintFields]
  const textBytes = texts.reduce((sum, { length }) => sum + LENGTH_BYTES + UTF8_MAX * length, 0)
  const bytes = Buffer.allocUnsafe(textsFrom + textBytes)
  let at = writeDoubles(bytes, 0, [epoch, seq, close ? 1 : 0, ...counts, textsFrom + 1])
  for (const numbers of sections) at = writeDoubles(bytes, at, numbers)
  for (const text of texts) {
    const length = bytes.write(text, at + LENGTH_BYTES)
    at = bytes.writeUInt32LE(length, at) + length
  }
  return bytes.subarray(0, at)
}

function takeNumbers(takes: readonly Take[], positions: readonly number[]): readonly number[] {
  return takes.flatMap(({ n, need }) => {
    return [n, need.length, ...need.flatMap(([index, cost]) => [positions[index] ?? NULL, cost])]
  })
}
