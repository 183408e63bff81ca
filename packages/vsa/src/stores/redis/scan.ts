import { list, text } from './rows.ts'
import type { Script } from './scripts/script.ts'
import type { Session } from './session.ts'

/**
 * Reads a hash by a script that takes, behind `values`, a cursor and about how many elements, and answers first the next cursor. An element that stays is in one page or more.
 * @returns what each script answered behind the cursor
 */
export async function* scan(
  session: Session,
  script: Script,
  count: number,
  values: readonly string[] = [],
): AsyncGenerator<readonly unknown[]> {
  let cursor = '0'
  do {
    const page = { script, values: [...values, cursor, String(count)], phase: 'load' } as const
    const [next, ...answer] = list(await session.run(page))
    yield answer
    cursor = text(next)
  } while (cursor !== '0')
}
