import { benchmark } from './server/main.ts'
import { postgresBench } from './server/postgres-server.ts'

/* `npm run bench:postgres`: VSA on a throw-away Postgres server with fsync on. */

await benchmark(postgresBench, [1, 128, 1_000, 10_000])
