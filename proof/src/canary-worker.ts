import { parentPort, workerData } from 'node:worker_threads'
import { tryConformance } from './canaries/conformance-finder.ts'
import { tryDirectChecks } from './canaries/direct-finder.ts'
import { tryForgetting } from './canaries/forgetting-finder.ts'
import type { FinderMessage, FinderTask } from './canaries/find.ts'
import { trySeeds } from './canaries/simulation-finder.ts'
import type { Tried } from './canaries/tried.ts'

/* Looks for one canary, and posts each attempt with what it reported. */

const task = workerData as FinderTask

function attempts(): AsyncGenerator<Tried> {
  switch (task.canary.foundBy) {
    case 'simulation':
      return trySeeds(task)
    case 'forgetting':
      return tryForgetting(task)
    case 'conformance':
      return tryConformance(task)
    case 'direct':
      return tryDirectChecks(task)
  }
}

function post(message: FinderMessage): void {
  parentPort?.postMessage(message)
}

for await (const { seed, reported } of attempts()) {
  const found = reported.some(({ law }) => task.canary.laws.includes(law))
  post({ kind: 'tried', seed, reported, found })
  if (found) break
}
post({ kind: 'ended' })
