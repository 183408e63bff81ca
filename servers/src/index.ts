export { postgresServer, type NoServer, type PostgresServer, type ServerSettings } from './postgres.ts'
export { DURABLE, redisServer, type RedisServer } from './redis.ts'
