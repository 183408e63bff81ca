export { pgBouncer, type PgBouncer } from './pgbouncer.ts'
export { postgresServer, type PostgresServer, type ServerSettings } from './postgres.ts'
export { sparePort, type NoServer } from './process.ts'
export { DURABLE, redisServer, type RedisServer } from './redis.ts'
