import type { RedisArgument } from './client.ts'
import { KEY_NAMES, keyOf, keysOf, type KeyName } from './keys.ts'
import type { MemberRange } from './loaded.ts'

/** Arguments of one command: the script hands them over as a list on the stack of Lua, which holds 8,000. Even, so that no pair is split. */
const ARGUMENTS_MAX = 2_000

/** Commands whose arguments may be joined: those of one command on one key. */
type Joined = 'HSET' | 'ZADD' | 'HDEL' | 'ZREM' | 'SREM'

/** What the script `SAVE` compares, and the commands that it then runs: one for many rows. */
export class SavePlan {
  /** By key: each field with the value that it must have; empty where it must not be there. */
  readonly #expected = new Map<KeyName, [field: string, value: RedisArgument][]>()
  /** By command and key. */
  readonly #joined = new Map<
    string,
    { readonly name: Joined; readonly key: KeyName; readonly values: RedisArgument[] }
  >()
  readonly #ranges: MemberRange[] = []
  readonly #commands: (readonly [name: string, key: KeyName, values: readonly RedisArgument[]])[] = []

  /** @param value undefined where the field must not be there; nothing that the store writes is empty */
  expect(key: KeyName, field: string, value: Buffer | undefined): void {
    const fields = this.#expected.get(key) ?? []
    this.#expected.set(key, fields)
    fields.push([field, value ?? ''])
  }

  expectRange(range: MemberRange): void {
    this.#ranges.push(range)
  }

  /** A field and its value, or a score and its member. */
  set(name: 'HSET' | 'ZADD', key: KeyName, first: string, second: RedisArgument): void {
    this.#join(name, key).push(first, second)
  }

  /** One field or member. */
  remove(name: Exclude<Joined, 'HSET' | 'ZADD'>, key: KeyName, member: string): void {
    this.#join(name, key).push(member)
  }

  command(name: string, key: KeyName, values: readonly RedisArgument[]): void {
    this.#commands.push([name, key, values])
  }

  /**
   * The keys of the script, and its arguments behind the time.
   * @param time store time, ms since 1970
   */
  written(
    prefix: string,
    time: number,
    { run, gen }: { readonly run: string; readonly gen: string },
  ): { readonly keys: readonly string[]; readonly values: readonly RedisArgument[] } {
    const keys = [...keysOf(prefix)]
    const positions = new Map<KeyName, string>(KEY_NAMES.map((name, at) => [name, String(at + 1)]))
    const positionOf = (name: KeyName): string => {
      const known = positions.get(name)
      if (known !== undefined) return known
      const position = String(keys.push(keyOf(prefix, name)))
      positions.set(name, position)
      return position
    }
    const groups = [...this.#expected].flatMap(([key, fields]) => {
      return slices(fields, ARGUMENTS_MAX).map((slice) => [
        positionOf(key),
        String(slice.length),
        ...slice.map(([field]) => field),
        ...slice.map(([, value]) => value),
      ])
    })
    const ranges = this.#ranges.flatMap(({ key, first, last, count }) => [positionOf(key), first, last, String(count)])
    const joined = [...this.#joined.values()].flatMap(({ name, key, values }) =>
      slices(values, ARGUMENTS_MAX).map((slice) => [name, key, slice] as const),
    )
    const commands = [...joined, ...this.#commands].flatMap(([name, key, values]) => {
      return [name, positionOf(key), String(values.length), ...values]
    })
    return {
      keys,
      values: [
        String(time),
        run,
        gen,
        String(groups.length),
        ...groups.flat(),
        String(this.#ranges.length),
        ...ranges,
        ...commands,
      ],
    }
  }

  #join(name: Joined, key: KeyName): RedisArgument[] {
    const id = `${name} ${key}`
    const known = this.#joined.get(id) ?? { name, key, values: [] }
    this.#joined.set(id, known)
    return known.values
  }
}

function slices<T>(values: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(values.length / size)
  return Array.from({ length: count }, (_, at) => values.slice(at * size, (at + 1) * size))
}
