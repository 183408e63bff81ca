import type { Decision, DecisionShare } from '../../core/decision.ts'
import type { Policy } from '../../core/policy.ts'
import type { Stats } from '../runtime/stats.ts'
import type {
  InTransaction,
  PendingIntent,
  Reservation,
  ReserveAllDecision,
  ReserveDecision,
} from './reservation-types.ts'

export type * from './open-options.ts'
export type * from './reservation-types.ts'

/*
 * What these types name of the platform. A program that is compiled without the types of Node, or with an older `lib`, may have neither.
 * Where it has, this adds nothing.
 */
declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
  interface AbortSignal {}
}

/** One running engine. Handles print and serialize shortly: a budget as `{ key, policy }`, with the policy as it was declared. */
export interface Vsa {
  /** Resolves when the store has been joined. @throws StoreError as soon as one attempt to join fails; joining goes on. */
  ready(): Promise<void>
  /**
   * One policy, or `id => policy`, for many budgets. Keys are `name:id`. `name` has no `:`. Each name is kept for as long as the engine lives, in about 500 bytes,
   * so that another policy under it is refused: declare one for each kind of budget, and name tenants by `of(id)`, whose budgets leave memory when they are idle.
   */
  budgets(name: string, policy: Policy | ((id: string) => Policy)): Family
  /** One budget. The same key again gives the same budget; with another policy it throws `policy_conflict`. */
  budget(key: string, policy: Policy): Budget
  /** A counter: a number without a limit, which admits or denies nothing. */
  counter(key: string): Counter
  /** All or none: resolves to true when every budget admitted its units. */
  admitAll(needs: readonly Need[], options?: AdmitOptions): Promise<boolean>
  /** As `admitAll`; the record names the budget that refused. */
  decideAll(needs: readonly Need[], options?: AdmitOptions): Promise<Decision>
  /** As `admitAll`, from memory, now: false unless the leases of all of them cover it, as `tryAdmit` says. @throws VsaError `durable_only`, `closed` */
  tryAdmitAll(needs: readonly Need[]): boolean
  /** All or none: one reservation for each need, each to be settled by itself. Null: the units are not there. */
  reserveAll(needs: readonly Need[], options?: AdmitOptions | DurableReserve): Promise<readonly Reservation[] | null>
  /** As `reserveAll`, with figures and the reason: the record names the budget that refused. */
  decideReserveAll(needs: readonly Need[], options?: AdmitOptions | DurableReserve): Promise<ReserveAllDecision>
  /**
   * A waterfall: takes what each source has, in order, until `units` are covered; all or none over their sum. The last source may be a counter, for
   * overage: then it always admits. From memory where leases cover it and what comes before is known to be empty; else in one exchange.
   */
  admitFirst(sources: readonly Source[], units: number, options?: AdmitOptions): Promise<boolean>
  /** As `admitFirst`; `from` of the record tells what each source gave. `refund` of the first source, or of one that gave something, with the record gives back, the last source first. */
  decideFirst(sources: readonly Source[], units: number, options?: AdmitOptions): Promise<Decision>
  /** One reservation from several sources. What it does not use goes back to the last source first. Null: the units are not there. */
  reserveFirst(
    sources: readonly Source[],
    units: number,
    options?: AdmitOptions | DurableReserve,
  ): Promise<Reservation | null>
  /** As `reserveFirst`, with figures and the reason. */
  decideReserveFirst(
    sources: readonly Source[],
    units: number,
    options?: AdmitOptions | DurableReserve,
  ): Promise<ReserveDecision>
  /** Figures since `open`, up to this instant, with one exception: see {@link Stats}. */
  stats(): Stats
  /**
   * Resolves when everything admitted, refunded and added before the call is durable. It waits for refunds that the store does not accept
   * yet, until they are given up, which the event `refunds_refused` says. @throws VsaError `timeout`, `store_unavailable`
   */
  flush(options?: FlushOptions): Promise<void>
  /**
   * Refuses new admissions, answers the waiting ones, settles, returns every lease and ends the epoch; then closes the store.
   * Idempotent. @throws VsaError `close_ambiguous` when the store did not answer in time: leases are then reaped.
   */
  close(options?: CloseOptions): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A budget, or, as the last one, a counter, which never lacks. */
export type Source = Budget | Counter

/** A budget (or its key's handle) and the units wanted of it, at least 1. The same budget twice counts once with the sum. */
export type Need = readonly [budget: Budget, units: number]

export interface Family {
  readonly name: string
  /** The budget `name:id`. Cheap: call it on each request. */
  of(id: string): Budget
  /**
   * Where the policy is a function: runs `id => policy` again, and, where it says something else than before, goes on as `setPolicy`. A plan that was
   * upgraded takes effect at the next request. Changes of one turn share their store calls: `Promise.all` of many. @throws what the function throws, before any change; VsaError as `setPolicy`
   */
  refresh(id: string): Promise<void>
}

export interface Budget {
  readonly key: string
  /**
   * Units that `tryAdmit` is certain to admit now. 0 where it has to look further, as after each flush: it may admit all the same. For code
   * that calls `decide` where `tryAdmit` would not admit, because a refusal of `tryAdmit` counts in `stats().deniedUnits`.
   */
  readonly room: number
  /** Resolves to whether `units` (default 1) were admitted. Immediate from a lease; otherwise it waits for one exchange, or for units to be recalled. */
  admit(units?: number, options?: AdmitOptions): Promise<boolean>
  /** As `admit`, with figures and the reason. */
  decide(units?: number, options?: AdmitOptions): Promise<Decision>
  /**
   * Whether `units` were admitted from memory, now. False while there is no lease, which is asked for then; false for ever for more units than
   * `atRisk` (a `cost_above_lease` event says so), and for keys asked more rarely than every half lease lifetime (5 s on SQLite). `admit` waits
   * for the store instead. @throws VsaError `durable_only` on a durable budget, `closed` after close.
   */
  tryAdmit(units?: number): boolean
  /** As `tryAdmit`, for work whose cost is known afterwards. Null: not covered by a lease. @throws VsaError `durable_only`, `closed` */
  tryReserve(max: number): Reservation | null
  /**
   * Admits `max` units as `admit` does, for work whose cost is known afterwards: settle what it took. Null: the units are not there. With `id`, `ttlMs`
   * and `onExpire` the store keeps it, durable on return: any process may settle it by its id, and it ends by itself. The same call again gives the
   * same reservation. @throws VsaError `id_conflict` where the id is known for something else
   */
  reserve(max: number, options?: AdmitOptions | DurableReserve): Promise<Reservation | null>
  /** As `reserve`, with figures, and, where it is refused, the reason and when to ask again. */
  decideReserve(max: number, options?: AdmitOptions | DurableReserve): Promise<ReserveDecision>
  /** A reservation that the store keeps, made by any process. No call yet: until the first answer its state is `unknown`, and `units` is 0. */
  reservation(id: string): Reservation
  /**
   * Gives units back: usable at once as far as this owner has not sent them, else with the next exchange. Into the period of `decision`, else
   * the current one; where the policy has changed more than once since, and nothing is kept of that period, the units are refused (`refunds_refused`).
   * An unaccounted or a repeated decision took nothing, and gives nothing back. How often a decision is given back is not counted:
   * give back what was not used, once.
   * @throws TypeError for a decision that denied, was made with an `id`, is about other budgets, or has a reservation; VsaError `closed`; `store_unavailable` when the store is away and `budgetsMax` budgets have changes to send
   */
  refund(units?: number, decision?: PastDecision): void
  /**
   * Gives back, durable on return and once for each id, up to what was admitted or settled under the id: a retried refund credits once. At least 1 unit.
   * @throws VsaError `reservation_unknown`; `reservation_open` where it is to be settled instead; `timeout`, `store_unavailable`, `closed`
   */
  refund(units: number, options: RefundOptions): Promise<GivenBack>
  /**
   * Creates units with your own transaction, once per `id`, on Postgres: inserts one row through `db`, and does nothing else. Resolves when the row is
   * there; it is durable, and counts, when your transaction has been committed. It is applied by the next upkeep of any process, once the budget has a row;
   * an id that was minted before is left out then, whatever its units. Also after `close`.
   * @throws what `db` throws; TypeError for a budget without `{ initial }`; VsaError `intents_unsupported` where the store is not Postgres
   */
  mint(units: number, options: MintOptions & InTransaction): Promise<PendingIntent>
  /**
   * Creates units, durable on return, once per `id`. Resolves to false when this id was minted before, also by a first attempt of this call whose answer was
   * lost with its epoch. Only for `{ initial }`. One exchange carries one mint of a budget: of many at once, the last waits for as many exchanges. @throws VsaError `id_conflict`, `units_overflow`
   */
  mint(units: number, options: MintOptions): Promise<boolean>
  /**
   * Changes the policy while processes run; durable on return, and in force for the next request. It beats the policy of every process that runs
   * now, for as long as the key is used within its retention. A higher or lower limit moves what remains by the difference; `initial` never changes
   * what was created. Another kind of policy, or another `per`, begins a row of its own, and the old one keeps its books, unless both periods begin at the
   * same moment. Other processes adopt the limit with their next exchange. @throws TypeError, RangeError that name the part; VsaError `timeout`, `store_unavailable`, `closed`
   */
  setPolicy(policy: Policy): Promise<void>
  /**
   * Forgets what was spent and burned, in the present period; durable on return. Leases and reservations stay, and what was spent before and is not
   * settled yet counts afterwards, and so does a refund of it. A process that is cut off from the store may still spend the lease that burned. What was
   * admitted with an id before cannot be given back by it any more. @throws VsaError as `setPolicy`
   */
  reset(): Promise<void>
  /**
   * Removes all that there is of the key, in every period: the books, reservations, which end unsettled, and the ids of admissions and mints. An id under
   * which other budgets were asked for as well is forgotten for them, too: there it may count again. Durable on
   * return, and this process begins anew: the next request makes a fresh row, by the policy that holds in its process; one that was changed at run time
   * still does. Units that are given back by a decision of before go to the fresh row. Other budgets get back what reservations together with this one had
   * set aside. Other processes hear of it with their next exchange, and raise `deleted`: until then each may spend its lease, at most `atRisk`, which is in
   * no account. For more than 100 reservations, mints or periods it takes several store calls, in which the budget can be used.
   * @throws VsaError `timeout`, `store_unavailable`: a part may be gone, so delete it again; `closed`; `deletion_unsupported` where the store cannot
   */
  delete(): Promise<void>
  /** The row as the store has it, with what this owner has not sent: the figures of one moment. Changes nothing. @throws VsaError `timeout` or `store_unavailable` by the deadline of `open`, `closed` */
  peek(): Promise<Peek>
}

/** What `refund` with an id gave back. */
export interface GivenBack {
  /** Of the first call with this id. */
  readonly units: number
  /** It had been given back before, and nothing was now. */
  readonly repeated: boolean
}

/** What `decide` or `decideAll` answered, or what was kept of it. The start of a period alone, ms since 1970, names the period to give back into. */
export interface PastDecision {
  readonly period?: number | undefined
  readonly key?: string | undefined
  readonly admitted?: boolean | undefined
  readonly unaccounted?: boolean | undefined
  readonly repeated?: boolean | undefined
  readonly shadow?: string | undefined
  readonly from?: readonly DecisionShare[] | undefined
  /** A decision that has one is not given back: what was set aside is settled. */
  readonly reservation?: undefined
  readonly reservations?: undefined
}

export interface AdmitOptions {
  /** Resolve only when the admission is durable. Default: whether the budget is durable. */
  readonly durable?: boolean
  /** How long to wait, in ms, 1 to 3,600,000. Default: that of `open`. */
  readonly deadlineMs?: number
  /** Aborting rejects with the signal's reason; units granted meanwhile are given back, unless they have an `id`. */
  readonly signal?: AbortSignal
  /**
   * Makes the admission one that counts once, for 7 days: the same call with the same id again, by any process, is answered from the store and spends
   * nothing. 1 to 256 characters. It is durable on return, and costs a record of its own. A refusal is not remembered. What was admitted is given
   * back by the id. @throws VsaError `id_conflict` where the id is known for something else
   */
  readonly id?: string
}

/** A reservation that the store keeps: all three, or none. */
export interface DurableReserve extends AdmitOptions {
  /** With the keys of its budgets it names the reservation. 1 to 256 characters. */
  readonly id: string
  /** It ends by itself after so many ms, 1 to 34,560,000,000 (400 days). */
  readonly ttlMs: number
  /** What becomes of its units then: `return` gives them back, `capture` leaves them spent. It may still be settled afterwards, once. */
  readonly onExpire: 'return' | 'capture'
}

export interface RefundOptions {
  /** Of the admission, or of the settled reservation. */
  readonly id: string
  /** How long to wait, in ms, 1 to 3,600,000. Default: that of `open`. */
  readonly deadlineMs?: number
}

export interface MintOptions {
  /** Names what the units are for, such as an invoice: one id counts once per budget, for ever. A string as for keys. */
  readonly id: string
}

/** `minted = used + reserved + remaining + burned`, unless a limit was lowered below what is used. */
export interface Peek {
  /** The same as `minted`. */
  readonly limit: number
  /** The limit of the period; for `{ initial }` what was created and minted so far. */
  readonly minted: number
  /** Units spent, by all owners as of one moment, and by this one up to now. */
  readonly used: number
  /** Set aside by reservations that the store keeps. */
  readonly reserved: number
  /** `minted - used - reserved - burned`, never below 0: also what other owners have leased. */
  readonly remaining: number
  /** Units of `remaining` that this owner has leased. */
  readonly leased: number
  readonly burned: number
  readonly resetAtMs?: number
}

export interface Counter {
  readonly key: string
  /** Adds any safe integer, in memory; durable with the next flush. Default 1. @throws VsaError `closed`; `store_unavailable` when the store is away and `budgetsMax` budgets and counters have changes to send. */
  add(n?: number): void
  /** The durable value and what this owner has not sent. */
  read(): Promise<number>
}

export interface FlushOptions {
  /** Give every lease back as well. Default false. */
  readonly returnLeases?: boolean
  /** Default: that of `open`. */
  readonly deadlineMs?: number
}

export interface CloseOptions {
  /** Default 10,000. */
  readonly deadlineMs?: number
}
