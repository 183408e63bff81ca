import { connectionOf, type RedisArgument, type RedisClient, type RedisConnection } from './client.ts'
import { clientEnded, clientNotConnected, isNoScript, storeErrorOf, type Phase } from './errors.ts'
import { keyOf, keysOf } from './keys.ts'
import type { Script } from './scripts/script.ts'

/** A script that is to be run. */
export interface ScriptCall {
  readonly script: Script
  /** Default: those of the store. */
  readonly keys?: readonly string[]
  /** Behind the time. */
  readonly values?: readonly RedisArgument[]
  /** Whether the script writes. */
  readonly phase: Phase
}

/** Runs scripts on one store, over the client of the user. */
export class Session {
  readonly prefix: string
  readonly #connection: RedisConnection
  readonly #now: (() => number) | undefined

  /** @param now the time for the scripts, ms since 1970, in tests. Undefined: the server's own */
  constructor(client: RedisClient, prefix: string, now?: () => number) {
    this.#connection = connectionOf(client)
    this.prefix = prefix
    this.#now = now
  }

  get isCluster(): boolean {
    return this.#connection.isCluster
  }

  /** @returns the answer, whose texts are bytes @throws StoreError */
  async run({ script, keys = keysOf(this.prefix), values = [], phase }: ScriptCall): Promise<unknown> {
    const time = this.#now === undefined ? '' : String(Math.floor(this.#now()))
    const rest = [String(keys.length), ...keys, time, ...values]
    try {
      return await this.#send('EVALSHA', [script.sha, ...rest]).catch((error: unknown) => {
        if (!isNoScript(error)) throw error
        return this.#send('EVAL', [script.text, ...rest])
      })
    } catch (error) {
      throw storeErrorOf(error, this.prefix, phase)
    }
  }

  /** A command that concerns the server, and no key. @throws what the client throws */
  command(name: string, values: readonly string[]): Promise<unknown> {
    return this.#send(name, values)
  }

  /** Keeps an error of an idle connection from ending the process. @returns ends it */
  listen(): () => void {
    return this.#connection.listen()
  }

  async #send(command: string, values: readonly RedisArgument[]): Promise<unknown> {
    const standing = this.#connection.standing()
    if (standing === 'ended') throw clientEnded(this.prefix)
    if (standing === 'not connected') throw clientNotConnected(this.prefix)
    return this.#connection.send(keyOf(this.prefix, 's'), command, values)
  }
}
