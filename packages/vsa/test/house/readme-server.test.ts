import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { read, root, temporaryFolder } from './repository.ts'

// The server of the README, without the requests that its program makes itself, in a process of its own.
const [, program = ''] = /^### A limit per IP\n\n```js\n([^]*?)^\/\/ 100 requests/m.exec(read('README.md')) ?? []

const folder = temporaryFolder()
mkdirSync(join(folder, 'node_modules'))
symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))

const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

interface Server {
  readonly child: ChildProcess
  readonly port: number
  readonly place: string
  readonly exited: Promise<unknown[]>
}

async function start(): Promise<Server> {
  const place = mkdtempSync(join(folder, 'server-'))
  writeFileSync(join(place, 'server.mjs'), `${program}\nconsole.log(server.address().port)`)
  const child = spawn(process.execPath, ['server.mjs'], { cwd: place, stdio: ['ignore', 'pipe', 'ignore'] })
  started.push(child)
  const exited = once(child, 'exit')
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, place, exited, port: Number(line.toString()) }
}

/** Writes the text on the connection, and waits for an answer: its status. */
async function answerTo(socket: Socket, text: string): Promise<number> {
  socket.write(text)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return Number(/^HTTP\/1.1 (\d+)/.exec(answer.toString())?.[1])
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Tries until no connection is accepted any more. */
async function refused(port: number): Promise<void> {
  for (;;) {
    try {
      const socket = await connected(port)
      socket.on('error', () => undefined)
      socket.destroy()
    } catch {
      return
    }
  }
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

test('the server of the README: at SIGTERM it accepts no connection, answers the request that is under way, and ends', async () => {
  const { child, port, exited } = await start()
  const [open, other] = [await connected(port), await connected(port)]
  expect(await answerTo(open, REQUEST)).toBe(200)
  open.write(REQUEST.slice(0, 20))
  // Its answer shows that the server has read what came before.
  expect(await answerTo(other, REQUEST)).toBe(200)
  child.kill('SIGTERM')
  await refused(port)
  expect(await answerTo(open, REQUEST.slice(20))).toBe(200)
  open.destroy()
  expect(await exited).toEqual([0, null])
})

test('the server of the README: with its database deleted it goes on, and answers 503', async () => {
  const { child, port, place } = await start()
  const socket = await connected(port)
  expect(await answerTo(socket, REQUEST)).toBe(200)
  for (const file of readdirSync(place)) if (file.startsWith('limits.db')) rmSync(join(place, file))
  const statuses: number[] = []
  while (statuses.filter((status) => status === 503).length < 3) statuses.push(await answerTo(socket, REQUEST))
  // What it had leased serves first, and may be all of the minute's limit.
  expect([200, 429, 503]).toEqual(expect.arrayContaining([...new Set(statuses)]))
  expect(child.exitCode).toBeNull()
})
