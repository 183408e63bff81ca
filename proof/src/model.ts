import { CONFIGURATIONS } from './model/bounds.ts'
import { productionOf } from './model/production.ts'
import { search } from './model/search.ts'
import { Steps } from './model/steps.ts'
import { SHIPPED } from './subject.ts'

const production = await productionOf(SHIPPED)
for (const bounds of CONFIGURATIONS) {
  if (process.argv[2] !== undefined && process.argv[2] !== bounds.name) continue
  const start = performance.now()
  const result = search(bounds, new Steps(production, bounds), {
    statesMax: Number(process.argv[3] ?? 100_000),
    progress: (states, open) => console.error(states, open),
  })
  console.log(bounds.name, (performance.now() - start) / 1000, process.memoryUsage().rss / 1e6, result, process.cpuUsage())
}
