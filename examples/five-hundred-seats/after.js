// node after.js [TTL_MS]: how long a buyer has to pay; three seconds here, 600_000 in a shop.
import { once } from 'node:events'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { verify } from '../verify.js'
import { startProcesses } from './processes.js'

const [ttlMs = '3000'] = process.argv.slice(2)
const vsa = open({ store: sqlite('seats.db'), deadlineMs: 60_000 })
const seats = vsa.budget('concert-42', { initial: 500 })
await vsa.ready()

const held = new Set()
const late = new Set()
const paid = new Set()
let killed = null
const processes = await startProcesses('buyers-after.js', ttlMs)
for (const one of processes) {
  const unpaid = new Set()
  one.on('message', (message) => {
    if (message.held !== undefined) {
      held.add(message.held)
      unpaid.add(message.held)
    }
    if (message.late !== undefined) late.add(message.late)
    if (message.paid === undefined) return
    paid.add(message.paid)
    unpaid.delete(message.paid)
    // The first process with ten holds that are not paid.
    if (killed !== null || unpaid.size < 10) return
    one.kill('SIGKILL')
    killed = unpaid
  })
}
const ends = await Promise.all(processes.map((one) => once(one, 'exit')))

const { minted, used, remaining, reserved, burned } = await seats.peek()
console.log('500 seats, 5,000 buyers, eight processes')
console.log(`killed: ${ends.filter(([, signal]) => signal === 'SIGKILL').length}`)
console.log(`holds that came back: ${held.size - used} (of the killed process: ${killed?.size ?? 0})`)
console.log(`sold: ${used}, told: ${paid.size}, paid too late: ${late.size}`)
console.log(JSON.stringify({ minted, used, reserved, remaining, burned }))
await vsa.close()
verify('seats.db')
