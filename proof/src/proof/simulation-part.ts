import { check, type Part } from './part.ts'
import { runSimulation } from './programs.ts'

const SEEDS = 2_000

/** Every law under drawn faults, with every scenario. */
export const simulationPart: Part = {
  name: 'simulation',
  expectedSeconds: 110,
  run: async (signal) => {
    const report = await runSimulation(SEEDS, signal)
    const { seeds, corpus, operations, exchanges, faults, missed } = report
    const rare = Object.entries(faults).filter(([, times]) => times < 10)
    return {
      checks: [
        check('no law is broken', seeds === SEEDS && corpus > 0, `${seeds} seeds and ${corpus} scripts ran`),
        check('every scenario is reached', missed.length === 0, `never reached: ${missed.join(', ')}`),
        check('every kind of fault happens', rare.length === 0, `rare: ${rare.map(([kind]) => kind).join(', ')}`),
      ],
      skipped: [],
      summary: `${seeds} seeds and ${corpus} scripts of the corpus, ${operations} operations in ${exchanges} exchanges, no violation`,
    }
  },
}
