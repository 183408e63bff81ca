import { createServer } from 'node:http'
import Database from 'libsql'
import { render } from './render.js'

const db = new Database('credits.db')
db.exec('CREATE TABLE IF NOT EXISTS credits (customer TEXT PRIMARY KEY, balance INTEGER)')
db.exec("INSERT OR IGNORE INTO credits VALUES ('ada', 100)")

const server = createServer(async (request, response) => {
  try {
    if (request.url === '/credits') {
      const { balance } = db.prepare("SELECT balance FROM credits WHERE customer = 'ada'").get()
      response.end(String(balance))
      return
    }
    const { balance } = db.prepare("SELECT balance FROM credits WHERE customer = 'ada'").get()
    if (balance < 10) {
      response.writeHead(402).end('no credits left')
      return
    }
    const picture = await render()
    db.prepare("UPDATE credits SET balance = balance - 10 WHERE customer = 'ada'").run()
    response.end(picture)
  } catch (error) {
    console.error(error)
    response.writeHead(503).end()
  }
})

process.once('SIGTERM', () => server.close())
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
