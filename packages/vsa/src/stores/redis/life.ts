import type { StoreLife } from '../../core/adapter.ts'
import type { StoreState } from './state.ts'

/*
 * The incarnation of a store in Redis (stores.md section 5), kept in the hash `s`. It is `gen` while nothing can be
 * forgotten. On a server that may forget it is `gen:run`: each process of the server begins a new one. `gen/run` is that of a server that forgets
 * nothing, but followed one that may have forgotten, or was promoted; it outlives a restart, as `gen` does.
 */

/** What the checks found of the process that keeps the data. */
export interface CheckedServer {
  /** Its run id; empty where it may not be read. */
  readonly run: string
  /** It may forget what it acknowledged. */
  readonly mayForget: boolean
  /** It was a replica of another one, and may have missed the last writes. */
  readonly isPromoted: boolean
}

/** The store in one transaction, as the process that answered has it. */
export function lifeOf(state: StoreState, server: CheckedServer): StoreLife {
  const { gen, incarnationKept, frozenUntil } = state
  const keptIncarnation = incarnationKept === '' ? null : incarnationKept
  const incarnation = incarnationOf(gen, keptIncarnation, server)
  return { incarnation, keptIncarnation, frozenUntil, mayForget: isOfProcess(incarnation) }
}

/**
 * @param gen names the data
 * @param kept null for a new store
 */
export function incarnationOf(gen: string, kept: string | null, server: CheckedServer): string {
  if (kept !== null && goesOn(kept, server)) return kept
  if (server.mayForget) return `${gen}:${server.run}`
  return kept === null && !server.isPromoted ? gen : `${gen}/${server.run}`
}

/** Whether everything that was acknowledged in this incarnation is there. */
function goesOn(kept: string, { run, mayForget, isPromoted }: CheckedServer): boolean {
  // Owners of an incarnation in which nothing can be forgotten remember nothing: they must join another one.
  if (mayForget) return kept.endsWith(`:${run}`)
  return kept.endsWith(`:${run}`) || kept.endsWith(`/${run}`) || !(isPromoted || isOfProcess(kept))
}

/** It ends with the process of the server. */
function isOfProcess(incarnation: string): boolean {
  return incarnation.includes(':')
}
