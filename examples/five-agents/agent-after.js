import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { modelStream, readyToGo } from './processes.js'

const [name] = process.argv.slice(2)
// A minute: the machine may be busy.
const vsa = open({ store: sqlite('credits.db'), deadlineMs: 60_000 })
const credits = vsa.budget('credits:team', { initial: 600 })
await readyToGo()

const hold = await credits.reserve(500, { id: name, ttlMs: 600_000, onExpire: 'capture' })
if (hold?.state !== 'open') {
  process.send({ refused: true })
} else {
  for await (const chunk of modelStream()) {
    if (!hold.meter(chunk.credits)) break
    process.send({ chunk })
  }
  await hold.settle()
}
process.disconnect()
await vsa.close()
