import { once } from 'node:events'
import Database from 'libsql'
import { startProcesses } from './processes.js'

const db = new Database('seats.db')
db.exec('PRAGMA journal_mode = WAL')
db.exec('CREATE TABLE tickets (buyer TEXT)')
const processes = await startProcesses('buyers-before.js')
await Promise.all(processes.map((one) => once(one, 'exit')))
console.log('500 seats, 5,000 buyers, eight processes')
console.log(`sold: ${db.prepare('SELECT count(*) AS sold FROM tickets').get().sold}`)
