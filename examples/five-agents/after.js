import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { verify } from '../verify.js'
import { startAgents } from './processes.js'

const vsa = open({ store: sqlite('credits.db'), deadlineMs: 60_000 })
const credits = vsa.budget('credits:team', { initial: 600 })
await vsa.ready()

const agents = await startAgents('agent-after.js')
const relayed = new Map()
let refused = 0
for (const agent of agents) {
  agent.process.on('message', (message) => {
    if (message.refused) refused += 1
    if (message.chunk === undefined) return
    const seen = (relayed.get(agent.name) ?? 0) + message.chunk.credits
    if (seen > 200) return
    relayed.set(agent.name, seen)
    // In mid-stream, after 20 of 50 chunks.
    if (seen === 200) agent.process.kill('SIGKILL')
  })
}
const ends = await Promise.all(agents.map((agent) => agent.ended))

console.log('600 credits, five agents of 500 each')
console.log(`ran: ${relayed.size}, refused: ${refused}`)
console.log(`killed in mid-stream: ${ends.filter(([, signal]) => signal === 'SIGKILL').length}`)
const held = await credits.peek()
console.log(`after the kill: reserved ${held.reserved}, left ${held.remaining}`)

// The parent has passed the chunks on, so it knows what was used. Had it died as well, the reservation would end by itself, and all 500 be charged.
for (const [name, used] of relayed) {
  const { settled } = await credits.reservation(name).settle(used)
  console.log(`charged to the killed agent: ${settled}`)
}
console.log(`credits left: ${(await credits.peek()).remaining}`)
await vsa.close()
verify('credits.db')
