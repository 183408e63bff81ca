import { createServer } from 'node:http'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { render } from './render.js'

const vsa = open({ store: sqlite('credits.db') })
const credits = vsa.budgets('credits', { initial: 100 })

const server = createServer(async (request, response) => {
  try {
    if (request.url === '/credits') {
      const { remaining: balance } = await credits.of('ada').peek()
      response.end(String(balance))
      return
    }
    const isAdmitted = await credits.of('ada').admit(10)
    if (!isAdmitted) {
      response.writeHead(402).end('no credits left')
      return
    }
    const picture = await render()
    response.end(picture)
  } catch (error) {
    console.error(error)
    response.writeHead(503).end()
  }
})

process.once('SIGTERM', () => server.close(() => vsa.close()))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
