import { parseArgs } from 'node:util'
import { type Budget, open } from 'vsa'
import { memory } from 'vsa/memory'
import { median } from './measure/median.ts'
import { machine, machineLine } from './report/machine.ts'
import { table } from './report/table.ts'
import { behind } from './streams/fake-streams.ts'
import { STREAM_KINDS, type StreamKind } from './streams/stream-kinds.ts'

/* `npm run bench:streams`: what it takes to meter streams of a model. Exits with 1 when the books do not balance. */

const STREAMS = 64
const CHUNKS_PER_SECOND = 10_000
const TICK_MS = 10

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '2' } },
})
const rounds = Number(values.rounds)
const sliceMs = Number(values.seconds) * 1_000

/** As it comes; behind a second stream that does nothing; metered. */
type Way = 'plain' | 'second' | 'metered'
const WAYS: readonly Way[] = ['plain', 'second', 'metered']

/** The share of a core that one slice took. */
async function shareOf(kind: StreamKind, way: Way, budget: Budget): Promise<number> {
  const streams = kind.make(STREAMS)
  const before = process.cpuUsage()
  const startedAtMs = performance.now()
  const reading = streams.sources.map((source) => {
    if (way === 'metered') return kind.metered(source, budget)
    return kind.plain(way === 'second' ? behind(source) : source)
  })
  let pushed = 0
  while (performance.now() - startedAtMs < sliceMs) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    const due = Math.floor(((performance.now() - startedAtMs) / 1_000) * CHUNKS_PER_SECOND) - pushed
    streams.push(due)
    pushed += due
  }
  streams.close()
  const chunks = (await Promise.all(reading)).reduce((sum, count) => sum + count, 0)
  const { user, system } = process.cpuUsage(before)
  if (chunks < pushed) throw new Error(`${chunks} of ${pushed} chunks were read`)
  // For the pace that was meant: a machine with much else to do pushes late, but as many.
  return (user + system) / 1_000_000 / (pushed / CHUNKS_PER_SECOND)
}

const host = machine()
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`
const rows: string[][] = []
for (const kind of STREAM_KINDS) {
  const vsa = open({ store: memory() })
  const budget = vsa.budget('tokens', { initial: 1_000_000_000 })
  const shares: Record<Way, number[]> = { plain: [], second: [], metered: [] }
  for (let round = -1; round < rounds; round += 1) {
    // Every other round the other way round; the first one warms up.
    for (const way of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
      const share = await shareOf(kind, way, budget)
      if (round >= 0) shares[way].push(share)
    }
  }
  const above = (way: Way): readonly number[] => shares[way].map((share, at) => share - (shares.plain[at] ?? 0))
  const differences = above('metered')
  await vsa.flush()
  const { used, reserved } = await budget.peek()
  const isBalanced = reserved === 0 && used === (rounds + 1) * STREAMS * 520
  if (!isBalanced) process.exitCode = 1
  await vsa.close()
  rows.push([
    kind.name,
    percent(median(shares.plain)),
    percent(median(shares.metered)),
    percent(median(differences)),
    `${percent(Math.min(...differences))} to ${percent(Math.max(...differences))}`,
    percent(median(above('second'))),
    isBalanced ? 'balanced' : `NOT BALANCED: used ${used}, reserved ${reserved}`,
  ])
}
console.log(machineLine(host))
console.log(
  `${STREAMS} streams, ${CHUNKS_PER_SECOND} chunks/s in all, ${rounds} rounds of ${sliceMs} ms; shares of a core`,
)
console.log(table(['stream', 'plain', 'metered', 'the meter', 'least to most', 'a second stream', 'books'], rows))
