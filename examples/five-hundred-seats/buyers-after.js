import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { buyersOf, pause, readyToGo } from './processes.js'

const [part, ttlMs] = process.argv.slice(2).map(Number)
// A minute: the machine may be busy.
const vsa = open({ store: sqlite('seats.db'), deadlineMs: 60_000 })
const seats = vsa.budget('concert-42', { initial: 500 })
await readyToGo()

/** Half of the buyers never pay when they get a seat at the first try. */
const waiting = []
async function buy(buyer, at, isFirstTry) {
  const hold = await seats.reserve(1, { id: buyer, ttlMs, onExpire: 'return' })
  if (hold === null) {
    waiting.push(buyer)
    return
  }
  // Made before under this id, and over: it holds no seat.
  if (hold.state !== 'open') return
  process.send({ held: buyer })
  if (isFirstTry && at % 2 === 0) return
  await pause(isFirstTry ? 5 : 0)
  // Paid after the time was over: the seat is sold to another buyer, or it is still there.
  const { uncovered } = await hold.settle(1)
  process.send(uncovered === 0 ? { paid: buyer } : { late: buyer })
}

const buyers = buyersOf(part)
// 25 buyers at a time.
for (let at = 0; at < buyers.length; at += 25) {
  await Promise.all(buyers.slice(at, at + 25).map((buyer, index) => buy(buyer, index, true)))
}
while (waiting.length > 0) {
  await pause(ttlMs / 20)
  const { used, remaining } = await seats.peek()
  if (used === 500) break
  if (remaining === 0) continue
  const next = waiting.splice(0, 25)
  await Promise.all(next.map((buyer, at) => buy(buyer, at, false)))
}
await vsa.close()
process.disconnect()
