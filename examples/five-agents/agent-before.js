// Checks before the call, and adds up after the answer, as many gateways do.
import Database from 'libsql'
import { modelStream, readyToGo } from './processes.js'

const db = new Database('credits.db', { timeout: 10_000 })
await readyToGo()
const { balance } = db.prepare('SELECT balance FROM credits').get()
if (balance < 500) {
  process.send({ refused: true })
} else {
  let used = 0
  for await (const { credits } of modelStream()) used += credits
  db.prepare('UPDATE credits SET balance = balance - ?').run(used)
  process.send({ ran: true })
}
process.disconnect()
