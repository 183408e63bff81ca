export { pgBouncer, type PgBouncer } from './pgbouncer.ts'
export { postgresServer, type PostgresServer, type ServerSettings } from './postgres.ts'
export type { NoServer } from './process.ts'
