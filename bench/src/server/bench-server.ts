import type { Store } from 'vsa'

export type ServerKind = 'postgres' | 'redis'

/** One process's connections to a server. */
export interface BenchClient {
  /** @param name a schema, or a prefix @param fastPath default: true */
  store(name: string, fastPath?: boolean): Store
  /** Admits one unit as an application does without VSA: one statement or script for each. */
  admitByHand(): Promise<boolean>
  end(): Promise<void>
}

/** A throw-away server with its own count of calls. */
export interface BenchServer {
  readonly kind: ServerKind
  readonly url: string
  readonly client: BenchClient
  /** Calls that stores under this name have made so far, as the server counted them. */
  calls(name: string): Promise<number>
  /** Memory of Redis, or tables and indexes of this schema of Postgres. */
  bytes(name: string): Promise<number>
  /** What `admitByHand` spends. */
  beginByHand(): Promise<void>
  usedByHand(): Promise<number>
  /** The shortest way to add 1 to as many rows of the user's own. */
  baseline(rows: number): Baseline
  stop(): Promise<void>
}

export interface Baseline {
  begin(): Promise<void>
  run(): Promise<void>
  /** Of all rows. */
  used(): Promise<number>
}
