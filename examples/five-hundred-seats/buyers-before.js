// Counts the tickets, takes the payment, and writes the ticket.
import Database from 'libsql'
import { buyersOf, pause, readyToGo } from './processes.js'

const db = new Database('seats.db', { timeout: 60_000 })
const count = db.prepare('SELECT count(*) AS sold FROM tickets')
const insert = db.prepare('INSERT INTO tickets VALUES (?)')
await readyToGo()
const buyers = buyersOf(Number(process.argv[2]))
// 25 buyers at a time.
for (let at = 0; at < buyers.length; at += 25) {
  await Promise.all(
    buyers.slice(at, at + 25).map(async (buyer) => {
      if (count.get().sold >= 500) return
      await pause(5)
      insert.run(buyer)
    }),
  )
}
process.disconnect()
