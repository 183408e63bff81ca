import Database from 'libsql'
import { startAgents } from './processes.js'

const db = new Database('credits.db')
db.exec('PRAGMA journal_mode = WAL; CREATE TABLE credits (balance INTEGER); INSERT INTO credits VALUES (600)')
db.close()

let ran = 0
const agents = await startAgents('agent-before.js')
for (const agent of agents) agent.process.on('message', (message) => (ran += message.ran ? 1 : 0))
await Promise.all(agents.map((agent) => agent.ended))

const { balance } = new Database('credits.db').prepare('SELECT balance FROM credits').get()
console.log('600 credits, five agents of 500 each')
console.log(`ran: ${ran}`)
console.log(`credits left: ${balance}`)
