import { AdmissionController } from './admission/admission-controller.ts'
import { BudgetSlowPath } from './admission/budget-slow-path.ts'
import { Decisions } from './admission/decisions.ts'
import { Intents } from './admission/intents.ts'
import { Peeks } from './admission/peeks.ts'
import { ReservationCalls } from './admission/reservation-calls.ts'
import { Reservations } from './admission/reservations.ts'
import { Trials } from './admission/trials.ts'
import { TryAll } from './admission/try-all.ts'
import { Waterfalls } from './admission/waterfalls.ts'
import { ReadyCalls } from './admission/ready-calls.ts'
import { UnansweredRequests } from './admission/unanswered-requests.ts'
import type { Settings } from './api/settings.ts'
import { ClockEviction } from './budget/clock-eviction.ts'
import type { Gate } from './budget/gate.ts'
import { FamilyRegistry } from './budget/family-registry.ts'
import { PolicyCache } from './budget/policy-cache.ts'
import { Counters } from './counters/counters.ts'
import { ChangeIntake } from './exchange/change-intake.ts'
import { ExchangeListener } from './exchange/exchange-listener.ts'
import { FlushScheduler } from './exchange/flush-scheduler.ts'
import { Recollection } from './exchange/recollection.ts'
import { RefundWaits } from './exchange/refund-waits.ts'
import { SendQueue } from './exchange/send-queue.ts'
import { ChangeCalls } from './requests/change-calls.ts'
import { PendingCalls } from './requests/pending-calls.ts'
import { RequestTable } from './requests/row-requests.ts'
import { WaitQueue } from './requests/wait-queue.ts'
import type { CounterState } from './budget/counter-state.ts'
import { LeaseTable } from './rows/lease-table.ts'
import type { MetricsTable } from './runtime/metrics-table.ts'
import type { Session } from './session/session.ts'
import { StoreReads } from './session/store-reads.ts'

/** The parts of one engine that its public methods call. */
export interface EngineParts {
  readonly leases: LeaseTable
  readonly waiting: WaitQueue
  readonly changes: ChangeCalls
  readonly unanswered: UnansweredRequests
  readonly sendQueue: SendQueue
  readonly refundWaits: RefundWaits
  readonly scheduler: FlushScheduler
  readonly intake: ChangeIntake
  readonly exchange: ExchangeListener
  readonly admission: AdmissionController
  readonly reservations: Reservations
  readonly slowPath: BudgetSlowPath
  readonly trials: Trials
  readonly tryAll: TryAll
  readonly waterfalls: Waterfalls
  readonly counters: Counters
  readonly eviction: ClockEviction
  readonly families: FamilyRegistry
  readonly readyCalls: ReadyCalls
  readonly peeks: Peeks
  readonly calls: PendingCalls
}

/** Makes the parts and connects them. */
export function wire(settings: Settings, table: MetricsTable, session: Session): EngineParts {
  const metrics = table.engine
  const { clock, flushIntervalMs, deadlineMs } = settings
  const sendQueue = new SendQueue()
  const requests = new RequestTable()
  const unanswered = new UnansweredRequests(settings, session)
  const waiting = new WaitQueue(clock, metrics, (request) => unanswered.expired(request))
  const leases = new LeaseTable(clock, session, requests, (key) => families.find(key))
  const refundWaits = new RefundWaits()
  const recollection = new Recollection()
  const changes = new ChangeCalls()
  const kept = { leases, recollection, waiting, changes, requests, sendQueue, refundWaits }
  const parts = { settings, session, ...kept, metrics, unanswered }
  const scheduler = new FlushScheduler(parts)
  const intake = new ChangeIntake(parts, scheduler)
  const exchange = new ExchangeListener(parts, scheduler, intake)
  const calls = new PendingCalls(settings, metrics)
  const reads = new StoreReads({ ...settings, metrics })
  const decisions = new Decisions(session, flushIntervalMs, leases)
  const counters = new Counters({ ...parts, scheduler, calls })
  const book = (overage: CounterState, units: number): void => counters.add(overage, units)
  const counterOf = (key: string): CounterState => counters.stateOf(key)
  const find = (key: string): Gate | undefined => families.lookUp(key)
  const intents = new Intents({ settings, session })
  const admissionParts = { ...parts, intents, scheduler, intake, reads, calls, decisions, find, counterOf, book }
  const admission = new AdmissionController(admissionParts)
  const peeks = new Peeks(admissionParts)
  const reservationCalls = new ReservationCalls({ settings, session, scheduler, calls, changes })
  const reservations = new Reservations({ settings, admission, decisions, calls: reservationCalls, intents, metrics })
  const policies = new PolicyCache()
  const joined = (): Promise<void> => readyCalls.wait()
  const slowPath = new BudgetSlowPath(admission, reservations, { ...admissionParts, joined }, peeks, policies)
  const trials = new Trials(admission, decisions)
  const tryAll = new TryAll({ tries: admission.tries, slowPath })
  const { batchMax } = settings.store.capabilities
  const sources = { batchMax, slowPath, counterOf: (counter: unknown) => counters.liveOf(counter) }
  const waterfalls = new Waterfalls({ settings, admission, reservations, decisions, metrics, sources, book })
  const eviction = new ClockEviction({
    max: settings.budgetsMax,
    isIdle: (gate) => leases.isIdle(gate),
    drop: (gate) => leases.drop(gate),
  })
  const families = new FamilyRegistry({ slowPath, metrics: table, eviction, policies })
  const readyCalls = new ReadyCalls(calls, deadlineMs, session)
  return {
    ...{ leases, waiting, changes, unanswered, sendQueue, refundWaits, scheduler, intake, exchange },
    ...{
      admission,
      reservations,
      slowPath,
      trials,
      tryAll,
      waterfalls,
      counters,
      eviction,
      families,
      readyCalls,
      peeks,
      calls,
    },
  }
}
