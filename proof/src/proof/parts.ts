import { canariesPart } from './canaries-part.ts'
import { chaosPart, serverChaosPart } from './chaos-part.ts'
import { modelCanariesPart, modelPart } from './model-parts.ts'
import type { Part } from './part.ts'
import { simulationPart } from './simulation-part.ts'
import { testsPart } from './tests-part.ts'

/** In order. The tests measure time, so they come first: later the machine may be hot. */
export const PARTS: readonly Part[] = [
  testsPart,
  simulationPart,
  canariesPart,
  modelPart,
  modelCanariesPart,
  chaosPart,
  serverChaosPart,
]
