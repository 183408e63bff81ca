import { createServer } from 'node:net'

/** A TCP port that nothing listens on. */
export async function sparePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no spare port')
  return address.port
}
