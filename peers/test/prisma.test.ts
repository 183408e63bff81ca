import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { Pool } from 'pg'
import { open } from 'vsa'
import { fromPrisma, postgres, type PrismaTransaction } from 'vsa/postgres'
import { postgresServer } from 'vsa-servers'
import { afterAll, describe, expect, test } from 'vitest'

/* T1 with a client that Prisma generates. The schema engine, a binary that Prisma would download, is for migrations alone: its place is taken by a program that does nothing. */

/** What the test uses of the client that is generated. */
interface Client {
  readonly order: {
    create(row: { readonly data: { readonly item: string } }): Promise<unknown>
    count(): Promise<number>
  }
  $transaction(work: (tx: Client & PrismaTransaction) => Promise<void>): Promise<void>
  $disconnect(): Promise<void>
}

const SCHEMA = `
generator client {
  provider = "prisma-client"
  output   = "./generated"
}
datasource db {
  provider = "postgresql"
}
model Order {
  id   Int    @id @default(autoincrement())
  item String
}
`
const TABLE = 'create table "Order" (id serial primary key, item text not null)'

const server = await postgresServer()
// Inside the folder of the packages, so that the client finds its own.
const folder = mkdtempSync(join(import.meta.dirname, '../.prisma-'))
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  if ('stop' in server) await server.stop()
})

async function generatedClient(url: string): Promise<Client> {
  writeFileSync(join(folder, 'schema.prisma'), SCHEMA)
  writeFileSync(join(folder, 'prisma.config.ts'), `export default { schema: 'schema.prisma' }\n`)
  const prisma = join(import.meta.dirname, '../node_modules/prisma/build/index.js')
  execFileSync(process.execPath, [prisma, 'generate'], {
    cwd: folder,
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
  })
  const { PrismaClient } = (await import(pathToFileURL(join(folder, 'generated/client.ts')).href)) as {
    readonly PrismaClient: new (options: { readonly adapter: PrismaPg }) => Client
  }
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
}

describe.skipIf('reason' in server)('in a transaction of Prisma (T1)', () => {
  test('T1, L3: what it settles and mints counts with its commit, once, and not after a rollback', async () => {
    const url = 'url' in server ? server.url : ''
    const pool = new Pool({ connectionString: url })
    await pool.query(TABLE)
    const prisma = await generatedClient(url)
    const vsa = open({ store: postgres(pool, { schema: 'vsa $1 "?' }) })
    try {
      const credits = vsa.budget('credits:ada', { initial: 100 })
      const order = await credits.reserve(10, { id: `order '1'`, ttlMs: 600_000, onExpire: 'return' })
      if (order === null) throw new Error('the units are not there')
      const rolledBack = prisma.$transaction(async (tx) => {
        await tx.order.create({ data: { item: 'book' } })
        expect(await order.settle(9, { db: fromPrisma(tx) })).toEqual({ pending: true })
        await credits.mint(50, { id: 'bonus', db: fromPrisma(tx) })
        throw new Error('the order is not valid')
      })
      await expect(rolledBack).rejects.toThrow('the order is not valid')
      await prisma.$transaction(async (tx) => {
        await tx.order.create({ data: { item: 'book' } })
        expect(await order.settle(7, { db: fromPrisma(tx) })).toEqual({ pending: true })
        expect(await credits.mint(5, { id: 'bonus', db: fromPrisma(tx) })).toEqual({ pending: true })
      })
      const kept: PrismaTransaction[] = []
      await prisma.$transaction(async (tx) => void kept.push(tx))
      for (const tx of kept) await expect(order.settle(8, { db: fromPrisma(tx) })).rejects.toThrow(/transaction/i)
      // The upkeep of an exchange takes it up; a settlement by another way is told what was settled.
      expect(await order.settle(9)).toEqual({ settled: 7, uncovered: 0, repeated: true })
      expect(await credits.mint(5, { id: 'bonus' })).toBe(false)
      expect(await credits.peek()).toMatchObject({ minted: 105, used: 7, reserved: 0, remaining: 98, burned: 0 })
      expect(await prisma.order.count()).toBe(1)
      expect(() => fromPrisma(prisma as object as PrismaTransaction)).toThrow(TypeError)
    } finally {
      await vsa.close()
      await prisma.$disconnect()
      await pool.end()
    }
  })
})
