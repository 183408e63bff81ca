export { postgresServer, type NoServer, type PostgresServer, type ServerSettings } from './postgres.ts'
