import { benchmark } from './server/main.ts'
import { redisBench } from './server/redis-server.ts'

/* `npm run bench:redis`: VSA on a throw-away Redis server with `appendfsync always`. A script takes 250 budgets: 1,000 are four. */

await benchmark(redisBench, [1, 128, 250, 1_000])
