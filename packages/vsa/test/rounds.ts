/** How often a test of random cases runs: `npm run proof` and `npm run mutation` run it more often than `npm test` (VSA_ROUNDS). */
export function rounds(quick: number): number {
  return quick * FACTOR
}

const FACTOR = Number(process.env['VSA_ROUNDS'] ?? 1)

/** Whether this is `npm test`, where a test takes the quicker of two ways. */
export const IS_QUICK: boolean = FACTOR === 1
