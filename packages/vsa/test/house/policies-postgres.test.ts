import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { postgresServer } from '../../../../servers/src/postgres.ts'
import { read, root, temporaryFolder } from './repository.ts'

// The program of docs/policies.md that needs a Postgres runs with the built package, in a database of its own.
const [, program = '', output = ''] =
  /^```mjs\n([^]*?)^```\n\n```text\n([^]*?)^```/m.exec(read('docs/policies.md')) ?? []

const server = await postgresServer()
const database = `test_${process.pid}_policies`
const folder = temporaryFolder()
mkdirSync(join(folder, 'node_modules'))
symlinkSync(join(root, 'packages/vsa'), join(folder, 'node_modules/vsa'))
symlinkSync(join(root, 'node_modules/pg'), join(folder, 'node_modules/pg'))

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

afterAll(async () => {
  if ('url' in server) await run(server.url, `drop database if exists ${database} with (force)`)
  if ('stop' in server) await server.stop()
})

test.skipIf('reason' in server)('T1: docs/policies.md: In your own transaction', async () => {
  if ('reason' in server) return
  await run(server.url, `create database ${database}`)
  const url = new URL(server.url)
  url.pathname = `/${database}`
  writeFileSync(join(folder, 'program.mjs'), program)
  const options = { cwd: folder, timeout: 100_000, env: { ...process.env, DATABASE_URL: url.href } }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['program.mjs'], options)
  expect({ stdout, stderr }).toEqual({ stdout: output, stderr: '' })
  expect(output).not.toBe('')
})
