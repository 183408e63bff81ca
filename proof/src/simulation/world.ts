import { Callers } from './callers.ts'
import { ProcessCloser } from './process-closer.ts'
import type { OperationOf } from './operation.ts'
import { Rng } from './rng.ts'
import type { Library } from './library.ts'
import { Machine } from './machine.ts'
import { OwnerProcess } from './owner-process.ts'
import { Scenarios } from './scenarios.ts'
import type { RunContext } from './run-context.ts'
import type { Action, BudgetSetting, Operation, Script } from './script.ts'
import { StoreAudit } from './store-audit.ts'
import { StoreDisk } from './store-disk.ts'
import { StoreFaults } from './store-faults.ts'
import { PolicyWindows } from './policy-windows.ts'
import { StoreHost } from './store-host.ts'
import { Violations } from './violations.ts'
import { Admissions } from './admissions.ts'
import { Timeline } from './timeline.ts'
import { FAULTS, type Fault, type Network, Wire } from './wire.ts'
import { WireObserver } from './wire-observer.ts'

type OwnerOperation = Exclude<Operation, OperationOf<'outage' | 'lock' | 'leap'>>

/** O13, R8 */
const TAKEN_WHILE_CLOSING: ReadonlySet<Operation['kind']> = new Set(['refund', 'add', 'settle', 'give-back'])
/** When a stopped process admits again, in ms after it resumes. */
const WAKING_TRIES_MS = [0, 15, 60] as const

/** The state of one run: a store, processes in their places, the network between them, and the checks. */
export class World {
  readonly script: Script
  readonly timeline: Timeline = new Timeline()
  readonly scenarios: Scenarios = new Scenarios()
  readonly host: StoreHost
  readonly audit: StoreAudit
  readonly admissions: Admissions
  readonly callers: Callers
  readonly network: Network
  readonly context: RunContext
  readonly storeFaults: StoreFaults
  /** Every process, also those that are dead or closed. */
  readonly processes: OwnerProcess[] = []
  readonly trace: string[] = []
  readonly violations: Violations = new Violations()
  crashes = 0
  standstills = 0
  readonly #library: Library
  readonly #places: (OwnerProcess | undefined)[]
  readonly #isTraced: boolean
  readonly #disk: StoreDisk
  readonly #observer: WireObserver
  readonly #closer: ProcessCloser

  constructor(library: Library, script: Script, isTraced: boolean) {
    const { setting } = script
    this.script = script
    this.#library = library
    this.#isTraced = isTraced
    this.#disk = new StoreDisk(library, setting)
    this.host = new StoreHost(this.timeline, setting.startMs, (now, shared) => this.#disk.open(now, shared))
    const clocks = { store: () => this.host.now(), trueMs: () => this.timeline.nowMs }
    this.violations.onAdded = (error) => {
      this.note(() => `FAILED ${String(error)}`)
      this.timeline.stop()
    }
    this.admissions = new Admissions(setting, this.violations)
    const readable = {
      list: () => this.host.list(),
      owners: () => this.host.owners(),
      reservations: () => this.#disk.reservations,
    }
    this.audit = new StoreAudit(readable, clocks, setting, this.scenarios, this.violations)
    this.admissions.heldByReservations = (name) => this.audit.reservations.sums.of(name)
    this.audit.onRowChanged = (budget) => this.admissions.rowChanged(budget)
    this.audit.onReset = (name, units) => this.admissions.addReset(name, units)
    this.audit.deletions.onDeleted = (name, units) => this.admissions.addDeleted(name, units)
    this.host.onFailure = (error) => this.fail(error)
    this.host.auditor = {
      joined: (label, joined) => this.audit.joined(label, joined).catch((error: unknown) => this.fail(error)),
      exchanged: (batch, answer) => this.audit.exchanged(batch, answer).catch((error: unknown) => this.fail(error)),
      upkept: (epoch) => this.audit.upkept(epoch).catch((error: unknown) => this.fail(error)),
      deleted: (key, isDone) => this.audit.deleted(key, isDone).catch((error: unknown) => this.fail(error)),
    }
    this.#places = Array.from({ length: setting.places }, () => undefined)
    this.network = {
      timeline: this.timeline,
      host: this.host,
      faultRates: setting.faultRates,
      faults: Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>,
      refusedByOutage: 0,
      // Without it, an idle engine has no timer at all (G3).
      hasUpkeep: script.seed % 2 === 1 || setting.wide !== null,
      scenarios: this.scenarios,
      failure: (message, applied) => new library.StoreError('store_failed', message, { applied, transient: true }),
    }
    this.context = {
      setting,
      admissions: this.admissions,
      audit: this.audit,
      scenarios: this.scenarios,
      windows: new PolicyWindows(library.compilePolicy),
      storeTime: () => this.host.now(),
      storeHasJumped: () => this.host.hasJumped,
      isDead: (epoch) => {
        const { totals } = this.audit.epoch(epoch) ?? {}
        return this.processes.some((process) => process.totals === totals && process.machine.dead)
      },
      isExpected: (error) => error instanceof library.VsaError || error instanceof library.StoreError,
      trace: (line) => this.note(line),
      fail: (error) => this.fail(error),
      attempt: (check) => this.violations.attempt(check),
      operations: 0,
    }
    this.storeFaults = new StoreFaults({
      context: this.context,
      timeline: this.timeline,
      host: this.host,
      disk: this.#disk,
    })
    this.#observer = new WireObserver(this.context, this.violations, this.processes)
    this.#closer = new ProcessCloser(this.context, this.#observer)
    this.callers = new Callers(this.context)
    this.timeline.onLoop = () => {
      for (const process of this.processes) this.#checkDue(process)
    }
    this.timeline.afterEach = () => {
      for (const process of this.processes) this.#checkProcess(process)
    }
  }

  note(line: () => string): void {
    if (this.#isTraced) this.trace.push(`${this.timeline.nowMs.toFixed(1).padStart(9)} ${line()}`)
  }

  /** Reports a violation or an error. The run ends with the present event. */
  fail(error: unknown): void {
    this.violations.add(error)
  }

  /** Whether the store runs on a thread of its own. */
  get isThreaded(): boolean {
    return this.#disk.isThreaded
  }

  /** O6: time does not advance in an endless loop. A keepalive that is due now will not be sent. */
  #checkDue({ exchanges, machine, closing, requests }: OwnerProcess): void {
    if (!machine.running || closing) return
    this.violations.attempt(() => exchanges.assertAlive(machine.monotonic(), requests.standstills, 0))
  }

  #checkProcess({ totals, exchanges, machine, closing, requests }: OwnerProcess): void {
    this.admissions.assertAllCovered(totals)
    if (!machine.running || closing || this.script.setting.corrupt !== null) return
    this.violations.attempt(() => exchanges.assertAlive(machine.monotonic(), requests.standstills))
  }

  /** Processes that have neither died nor been closed. */
  get living(): readonly OwnerProcess[] {
    return this.processes.filter(({ machine, closing }) => !machine.dead && !closing)
  }

  start(place: number): OwnerProcess {
    const { setting, seed } = this.script
    const number = this.processes.length
    const label = `service-${place % 2}`
    const machine = new Machine(this.timeline, setting.startMs)
    const rng = new Rng(seed, 'wire', number)
    const wire = new Wire(this.network, machine, rng, setting.corrupt, (batch, answer) =>
      this.#observer.answerLost(number, batch, answer),
    )
    const { open } = this.#library
    const random = new Rng(seed, 'engine', number).random
    const owner = new OwnerProcess({
      open,
      number,
      label,
      machine,
      store: this.#observer.observed(wire, number),
      setting,
      random,
      onEvent: (event) => this.#observer.onEvent(number, event),
    })
    this.processes.push(owner)
    this.#places[place] = owner
    this.note(() => `${owner.name} starts`)
    return owner
  }

  act({ place, ...operation }: Action): void {
    const owner = this.#places[place]
    if (operation.kind === 'jump' && operation.who === 'store') return this.storeFaults.jump(operation.byMs)
    if (operation.kind === 'outage' || operation.kind === 'lock' || operation.kind === 'leap')
      return this.storeFaults.begin(operation)
    if (owner === undefined || owner.machine.dead) return
    // O13: a closing engine takes refunds and counter additions until its last batch is sent; then they throw.
    const isTaken = owner.serves || (owner.machine.running && TAKEN_WHILE_CLOSING.has(operation.kind))
    if (isTaken) this.#do(owner, place, operation)
  }

  #do(owner: OwnerProcess, place: number, operation: OwnerOperation): void {
    const { callers } = this
    switch (operation.kind) {
      case 'reserve':
      case 'admit':
      case 'settle':
      case 'extend':
      case 'give-back':
        return callers.credits.act(owner, operation)
      case 'ask':
        return callers.ask(owner, operation)
      case 'try':
        return callers.tryMany(owner, operation)
      case 'all':
        return callers.all(owner, operation)
      case 'sweep':
        return callers.sweep(owner, operation)
      case 'churn':
        return callers.churn(owner, operation)
      case 'refund':
        return callers.refund(owner, operation, new Rng(this.script.seed, 'operation', this.timeline.nowMs, place))
      case 'mint':
        return callers.mint(owner, operation)
      case 'add':
        return callers.counters.add(owner, operation)
      case 'count':
        return callers.counters.read(owner, operation)
      case 'flush':
        return callers.flush(owner, operation)
      case 'peek':
        return callers.peek(owner, operation)
      case 'reset':
      case 'delete':
        return callers.wholeBudgets.act(owner, operation)
      case 'misuse':
        return callers.misuse(owner, operation)
      case 'close':
        this.close(owner, operation.deadlineMs, operation.twice)
        this.timeline.after(operation.deadlineMs + 50, () => this.start(place))
        return
      case 'replace':
        this.close(owner, 5_000, false)
        this.start(place)
        return
      case 'crash':
        return this.#crash(owner, place, operation.restartAfterMs)
      case 'stand':
        return this.#stand(owner, operation)
      case 'jump':
        this.storeFaults.jumps += 1
        this.scenarios.note('5 wall clock of an owner jumps')
        owner.machine.jump(operation.byMs)
    }
  }

  /** The final checks were answered that the units are admitted. */
  addAdmitted(owner: OwnerProcess, setting: BudgetSetting, period: number, units: number): void {
    const admitted = { key: setting.key, period, units, durable: owner.isDurable(setting) }
    this.admissions.addAdmitted(owner.totals, admitted, this.audit.latestTime)
  }

  close(owner: OwnerProcess, deadlineMs: number, twice: boolean): void {
    this.#closer.close(owner, deadlineMs, twice)
  }

  #crash(owner: OwnerProcess, place: number, restartAfterMs: number): void {
    this.crashes += 1
    this.note(() => `${owner.name} is killed`)
    if (this.#observer.isUncertain(owner.vsa.stats().epoch)) this.scenarios.note('2 answer lost, process dies')
    owner.machine.die()
    this.timeline.after(restartAfterMs, () => this.start(place))
  }

  #stand(owner: OwnerProcess, { how, forMs, wakesWith }: OperationOf<'stand'>): void {
    this.standstills += 1
    this.note(() => `${owner.name} is ${how} for ${forMs} ms`)
    if (how === 'suspended') this.scenarios.note('5 monotonic time stands still')
    if (forMs > this.script.setting.leaseTtlMs) this.scenarios.note('22 event loop blocked beyond the lease')
    owner.machine.stand(how)
    owner.requests.standstills += 1
    this.timeline.after(forMs, () => {
      this.note(() => `${owner.name} resumes`)
      owner.machine.goOn()
      // It was stopped while admitting, and continues before and after it learns that it was fenced.
      for (const afterMs of WAKING_TRIES_MS) this.timeline.after(afterMs, () => this.#tryAll(owner, wakesWith))
    })
  }

  #tryAll(owner: OwnerProcess, budgets: number): void {
    if (!owner.serves) return
    for (let budget = 0; budget < budgets; budget += 1)
      this.callers.tryMany(owner, { kind: 'try', budget, units: 1, times: 2 })
  }

  /** Removes the files of the run. */
  end(): Promise<void> {
    return this.#disk.remove(() => this.host.close())
  }
}
