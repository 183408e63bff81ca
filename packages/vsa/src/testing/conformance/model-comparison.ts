import { invariant } from '../../core/errors.ts'
import { seededRandom } from '../random.ts'
import { differenceAfter } from './lockstep.ts'
import { drawCommands, type Command } from './random-command.ts'
import type { ConformanceOptions, MakeStore } from './runner.ts'

const COMMANDS = 60
const SEQUENCES = 60
/** A failing sequence is run at most this often to shorten it. */
const SHORTENING_RUNS_MAX = 300

/**
 * Runs random sequences of commands on fresh stores and on the model.
 * @throws Error for the first difference, with its seed and the shortest sequence found that shows one
 */
export async function compareWithModel(makeStore: MakeStore, options: ConformanceOptions): Promise<void> {
  const isTimeInjected = options.time !== 'own'
  const first = options.seed ?? 1
  for (let seed = first; seed < first + (options.sequences ?? SEQUENCES); seed++) {
    const commands = drawCommands(seededRandom(seed), COMMANDS, { isTimeInjected, deletes: options.deletes === true })
    const difference = await differenceAfter(makeStore, commands, isTimeInjected)
    if (difference === undefined) continue
    const shortest = await shorten(makeStore, commands, isTimeInjected)
    const shown = (await differenceAfter(makeStore, shortest, isTimeInjected)) ?? difference
    invariant(false, `seed ${seed}: ${shown}\nafter:\n${shortest.map((command) => JSON.stringify(command)).join('\n')}`)
  }
}

/** Leaves out halves, quarters and at last single commands, as long as a difference remains. */
async function shorten(
  makeStore: MakeStore,
  commands: readonly Command[],
  isTimeInjected: boolean,
): Promise<readonly Command[]> {
  let shortest = commands
  let runs = 0
  for (let size = Math.ceil(commands.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length && runs < SHORTENING_RUNS_MAX; runs++) {
      const shorter = shortest.toSpliced(at, size)
      if ((await differenceAfter(makeStore, shorter, isTimeInjected)) === undefined) at += size
      else shortest = shorter
    }
  }
  return shortest
}
