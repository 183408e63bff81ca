import { open } from 'vsa'
import { directRequests } from './direct-requests.ts'
import { sqlite } from 'vsa/sqlite'
import { LIMIT, servedApp } from './served-app.ts'
import type { ServerMessage, Variant } from './variants.ts'

/* One server in a process of its own. The parent of the same build gives the variant and the file, and asks by messages. */

const [variant, path = ''] = process.argv.slice(2)
const vsa = open({ store: sqlite(path) })
const clients = vsa.budgets('clients', { limit: LIMIT, per: 'year' })
/** In one slice. */
const DIRECT_REQUESTS = 8_000
let handled = 0
const app = await servedApp(variant as Variant, vsa, clients, () => {
  handled += 1
})

process.on('message', (asked) => {
  if (asked === 'usage') return tell({ kind: 'usage', ...usage() })
  const answered = asked === 'direct' ? direct() : close()
  answered.catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
tell({ kind: 'listening', port: app.port })

function usage(): { readonly cpuMicroseconds: number; readonly handled: number } {
  const { user, system } = process.cpuUsage()
  return { cpuMicroseconds: user + system, handled }
}

async function direct(): Promise<void> {
  await directRequests(app.listener, DIRECT_REQUESTS)
  tell({ kind: 'direct', ...usage() })
}

async function close(): Promise<void> {
  await app.close()
  await vsa.flush()
  const { used } = await clients.of('127.0.0.1').peek()
  await vsa.close()
  tell({ kind: 'closed', handled, used: variant?.includes('vsa') === true ? used : null })
  process.disconnect()
}

function tell(message: ServerMessage): void {
  process.send?.(message)
}
