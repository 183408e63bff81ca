import { storeDamaged, storeTooNew } from './errors.ts'
import { list, number, text } from './rows.ts'

/** The newest schema that this code knows. */
export const SCHEMA_VERSION = 1

/** The store itself, as each script reads it. */
export interface StoreState {
  /** The server's clock, ms since 1970. */
  readonly now: number
  /** The latest store time that was kept. */
  readonly seen: number
  /** Names the data; made once, when the store was empty. */
  readonly gen: string
  /** The process that answered; empty where it may not be read. */
  readonly run: string
  /** The process that wrote it last. */
  readonly runSeen: string
  /** The highest epoch given so far. */
  readonly epochs: string
  /** How often rows were removed. */
  readonly prunes: string
  /** See `leapFrom`. */
  readonly leap: string
}

/** @returns undefined where there is no store @throws StoreError `store_damaged`, `schema_too_new` */
export function stateFrom(answer: unknown, prefix: string): StoreState | undefined {
  const [kind, ...rest] = list(answer).map(text)
  const [first = '', run = '', seen = '', gen = '', runSeen = '', epochs = '', prunes = '', leap = ''] = rest
  if (kind === 'missing') return undefined
  if (kind === 'damaged') throw storeDamaged(prefix, first)
  if (kind === 'newer') throw storeTooNew(prefix, first, SCHEMA_VERSION)
  return { now: number(Buffer.from(first)), seen: number(Buffer.from(seen)), gen, run, runSeen, epochs, prunes, leap }
}

/**
 * Names the history that an answer belongs to (stores.md section 5): of a server that may forget what it acknowledged, each process begins a new one.
 * @param mayForget as the checks at the opening of the store found
 */
export function incarnationOf({ gen, run }: Pick<StoreState, 'gen' | 'run'>, mayForget: boolean): string {
  return mayForget ? `${gen}:${run}` : gen
}
