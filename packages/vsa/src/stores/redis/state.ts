import { storeDamaged, storeTooNew } from './errors.ts'
import { list, number, text } from './rows.ts'
import { SCHEMA_VERSION } from './scripts/script.ts'

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
  /** P2: the highest version of all rows with windows; empty where it is not known. */
  readonly versions: string
  /** P6: how many deletions were saved; empty before the first one. */
  readonly deletions: string
  /** The incarnation that was kept; empty at first. */
  readonly incarnationKept: string
  /** Store time until which nothing is granted, ms since 1970; 0 at first. */
  readonly frozenUntil: number
  /** The same, as it stands there. */
  readonly frozenKept: string
}

/** @returns undefined where there is no store, and where its schema is older, until it is opened @throws StoreError `store_damaged`, `schema_too_new` */
export function stateFrom(answer: unknown, prefix: string): StoreState | undefined {
  const [kind, ...rest] = list(answer).map(text)
  const [first = '', run = '', seen = '', gen = '', runSeen = '', ...more] = rest
  const [
    epochs = '',
    prunes = '',
    leap = '',
    incarnationKept = '',
    frozen = '0',
    _reservations,
    versions = '',
    ...last
  ] = more
  const [deletions = ''] = last
  if (kind === 'missing' || kind === 'older') return undefined
  if (kind === 'damaged') throw storeDamaged(prefix, first)
  if (kind === 'newer') throw storeTooNew(prefix, first, SCHEMA_VERSION)
  return {
    now: timeIn(first),
    seen: timeIn(seen),
    frozenUntil: timeIn(frozen),
    frozenKept: frozen,
    ...{ gen, run, runSeen, epochs, prunes, leap, incarnationKept, versions, deletions },
  }
}

function timeIn(digits: string): number {
  return number(Buffer.from(digits))
}
