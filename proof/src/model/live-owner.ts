import type { Plan, Window } from '../../../packages/vsa/dist/core/plan.js'
import type { Account } from '../../../packages/vsa/dist/engine/rows/row-lease.js'
import type { Backlog } from '../../../packages/vsa/dist/engine/exchange/send-queue.js'
import type { FiguresDesk } from '../../../packages/vsa/dist/engine/admission/decisions.js'
import type { Gate } from '../../../packages/vsa/dist/engine/budget/gate.js'
import type { MintRequest } from '../../../packages/vsa/dist/engine/requests/mint-request.js'
import type { Parts } from '../../../packages/vsa/dist/engine/exchange/exchange-parts.js'
import type { Shipment } from '../../../packages/vsa/dist/engine/exchange/batch-builder.js'
import type { Verdict, Waiter } from '../../../packages/vsa/dist/engine/requests/pending-request.js'
import type { Waiters } from '../../../packages/vsa/dist/engine/requests/wait-queue.js'
import { must, Violation } from '../simulation/violation.ts'
import { MINT_ID } from './store.ts'
import type { Production } from './production.ts'
import { accountsOf, CLOCK, familyOf, flusherOf, sessionOf, SETTINGS } from './stand-ins.ts'
import type { AccountState, Owner, Request } from './world.ts'

const WINDOW: Window = { start: 0, end: Infinity }

/** A durable request that waits, and what it was told in this step. */
export interface LiveRequest {
  readonly waiter: Waiter
  readonly needs: readonly number[]
  verdict: Verdict['kind'] | null
}

/** A mint that waits, and what it was told in this step. */
interface LiveMint {
  readonly request: MintRequest
  verdict: boolean | 'refused' | null
}

/**
 * One owner's memory as production objects, brought to life from plain data for one step. When to flush, how much to lease and what rides in
 * which batch is the model's choice, not the flusher's: any choice at any time. The rest is the engine's own: gates, accounts,
 * the desk, the waiters, what is done with an answer and at the end of an epoch.
 */
export class LiveOwner {
  readonly #production: Production
  readonly gates: readonly Gate[]
  readonly accounts: readonly Account[]
  readonly waiters: Waiters
  readonly backlog: Backlog
  readonly requests: LiveRequest[] = []
  readonly mints: (LiveMint | null)[]
  /** What is under way; null once its answer has been heard. */
  shipment: Shipment | null
  readonly #parts: Parts

  constructor(production: Production, plans: readonly Plan[], keys: readonly string[], owner: Owner) {
    this.#production = production
    const tally = new production.Tally()
    this.waiters = new production.Waiters(CLOCK, tally, () => ({ kind: 'failed', error: null }))
    this.backlog = new production.Backlog()
    const family = familyOf(tally, () => this.#desk())
    this.gates = plans.map((plan, row) => new production.Gate(family, keys[row] ?? '', plan))
    this.accounts = this.gates.map((gate) => new production.Account(gate, WINDOW, gate.key, 0))
    this.mints = owner.accounts.map(liveMint)
    this.#parts = {
      settings: SETTINGS,
      session: sessionOf(owner.conversation),
      accounts: accountsOf(this.gates, this.accounts),
      waiters: this.waiters,
      backlog: this.backlog,
      tally,
    }
    for (const [row, state] of owner.accounts.entries()) this.#restore(row, state, owner.closing)
    for (const request of owner.requests) this.requests.push(this.#liveRequest(request))
    this.shipment = owner.cargo === null ? null : this.#shipmentOf(owner)
  }

  settle(answer: Parameters<InstanceType<Production['Settlement']>['settle']>[1], closing: boolean): void {
    if (this.shipment !== null) this.#settlement().settle(this.shipment, answer, closing)
  }

  fence(...[batch, answer]: FencingArguments): void {
    if (this.shipment === null) return
    new this.#production.Fencing(this.#parts, this.#settlement()).fence(batch, this.shipment, answer)
  }

  settleClosed(answer: Parameters<InstanceType<Production['Fencing']>['settleClosed']>[1]): void {
    if (this.shipment === null) return
    new this.#production.Fencing(this.#parts, this.#settlement()).settleClosed(this.shipment, answer)
  }

  /** A durable request: spends from the lease, or stands in line. Returns it, as the engine's desk made it. */
  ask(needs: readonly number[]): LiveRequest {
    const asked = needs.flatMap((units, row) => {
      const gate = this.gates[row]
      return units > 0 && gate !== undefined ? [{ gate, units }] : []
    })
    let made: Waiter | undefined
    const confirming = this.accounts.map((account) => account.confirming.length)
    const [first] = asked
    const desk = this.#desk()
    const options = { durable: true }
    const promise =
      asked.length === 1 && first !== undefined
        ? desk.admit(first.gate, first.units, options)
        : desk.admitAll(asked, options)
    promise.catch(() => undefined)
    for (const [row, account] of this.accounts.entries())
      if (account.confirming.length > (confirming[row] ?? 0)) made = account.confirming.at(-1)
    if (made === undefined) this.waiters.visit((waiter) => (made = waiter))
    if (made === undefined) throw new Violation('O9', 'a durable request was answered before the store was asked')
    const request: LiveRequest = { waiter: made, needs, verdict: null }
    this.requests.push(request)
    return request
  }

  #settlement(): InstanceType<Production['Settlement']> {
    return new this.#production.Settlement(this.#parts)
  }

  #desk(): InstanceType<Production['Desk']> {
    const { settings, tally, session, accounts, waiters } = this.#parts
    const flusher = flusherOf(this.backlog, waiters)
    const joined = (): Promise<void> => Promise.resolve()
    // Decisions are not asked for: no figures.
    const figures = null as unknown as FiguresDesk
    return new this.#production.Desk({ settings, tally, session, accounts, waiters, flusher, figures, joined })
  }

  #restore(row: number, state: AccountState, closing: boolean): void {
    const { accounts, gates } = this
    const [account, gate] = [accounts[row], gates[row]]
    if (account === undefined || gate === undefined) return
    if (!closing) {
      gate.account = account
      account.retired = false
    }
    account.held = state.held
    account.base = state.base
    account.refund = state.refund
    account.known = state.known
    account.left = state.left
    // The first spending after a send takes the slow path, those after it the hot one.
    if (state.unsent + state.refund > 0) this.backlog.markDirty(account)
    account.settleFloor()
    const mint = this.mints[row] ?? null
    const isSent = state.mint?.sent === true
    if (mint !== null && !isSent) account.mints.push(mint.request)
    if (state.sent !== null) account.sent = { ...state.sent, mint: isSent && mint !== null ? mint.request : null }
  }

  #liveRequest({ needs, place, told }: Request): LiveRequest {
    const request: LiveRequest = {
      needs,
      verdict: null,
      waiter: {
        needs: needs.flatMap((units, row) => {
          const gate = this.gates[row]
          return units > 0 && gate !== undefined ? [{ gate, units }] : []
        }),
        durable: true,
        deadlineMs: 1_000,
        deadlineAtMs: 1_000,
        tell: ({ kind }) => (request.verdict = kind),
        state: told ? 'told' : place === 'queued' ? 'queued' : 'sent',
        refused: false,
        unaccounted: false,
      },
    }
    const { waiter } = request
    const account = this.accounts[needs.findIndex((units) => units > 0)]
    if (place === 'queued') this.waiters.add(waiter)
    if (place === 'confirming') account?.confirming.push(waiter)
    if (place === 'confirming_sent') account?.confirmingSent.push(waiter)
    return request
  }

  #shipmentOf({ cargo, conversation }: Owner): Shipment {
    const takes = conversation.batch?.takes ?? []
    return {
      rows: (cargo?.rows ?? []).map((row) => this.accounts[row] ?? null),
      runs: (cargo?.runs ?? []).map((run, index) => {
        const need = takes[index]?.need ?? []
        const accounts = need.flatMap(([entry]) => this.accounts[cargo?.rows[entry] ?? -1] ?? [])
        const waiters = run.flatMap((at) => this.requests[at]?.waiter ?? [])
        for (const account of accounts) account.takers += waiters.length
        return { accounts, costs: need.map(([, cost]) => cost), waiters }
      }),
      flushes: [],
    }
  }

  /**
   * The memory as plain data again. Whoever has been told and is not under way is gone.
   * @param counted by row, what the model itself counts
   */
  freeze(
    counted: readonly Counted[],
  ): Pick<Owner, 'accounts' | 'requests'> & { readonly kept: readonly LiveRequest[] } {
    for (const { quarantined, gate } of this.accounts)
      must(!quarantined, 'S6', () => `the owner found that its books of ${gate.key} do not balance`)
    const kept = this.requests.filter((request) => this.#placeOf(request) !== null)
    return {
      accounts: this.accounts.map((account, row) => this.#freezeAccount(account, row, counted[row])),
      requests: kept.map((request) => ({
        needs: request.needs,
        place: this.#placeOf(request) ?? 'queued',
        told: request.waiter.state === 'told',
      })),
      kept,
    }
  }

  #freezeAccount(account: Account, row: number, counted: Counted = { unsent: 0, owed: 0 }): AccountState {
    const { held, base, left, refund, known, sent } = account
    const mint = this.mints[row] ?? null
    const waits = mint !== null && mint.verdict === null
    return {
      ...{ held, base, left, refund, known },
      sent: sent === null ? null : { spent: sent.spent, hold: sent.hold, refund: sent.refund },
      mint: waits ? { units: mint.request.mint.units, sent: sent?.mint === mint.request } : null,
      unsent: counted.unsent,
      owed: counted.owed,
    }
  }

  #placeOf({ waiter }: LiveRequest): Request['place'] | null {
    for (const account of this.accounts) {
      if (account.confirming.includes(waiter)) return 'confirming'
      if (account.confirmingSent.includes(waiter)) return 'confirming_sent'
    }
    // When those who were refused ask again is scheduling: with any batch after.
    if (waiter.state === 'queued' || waiter.state === 'parked') return 'queued'
    return this.#isUnderWay(waiter) ? 'sent' : null
  }

  #isUnderWay(waiter: Waiter): boolean {
    return this.shipment?.runs.some((run) => run.waiters.includes(waiter)) === true
  }
}

export type Counted = Pick<AccountState, 'unsent' | 'owed'>

type FencingArguments = [
  batch: Parameters<InstanceType<Production['Fencing']>['fence']>[0],
  answer: Parameters<InstanceType<Production['Fencing']>['fence']>[2],
]

function liveMint({ mint }: AccountState): LiveMint | null {
  return mint === null ? null : newMint(mint.units)
}

/** What answers a mint is no promise here. */
export function newMint(units: number): LiveMint {
  const live: LiveMint = {
    verdict: null,
    request: {
      mint: { units, id: MINT_ID },
      reply: {
        get settled() {
          return live.verdict !== null
        },
        resolve: (made: boolean) => (live.verdict = made),
        reject: () => (live.verdict = 'refused'),
      } as unknown as MintRequest['reply'],
    },
  }
  return live
}
