import { Callers } from './callers.ts'
import { Closer } from './closer.ts'
import type { DeedOf } from './deed.ts'
import { Dice } from './dice.ts'
import type { Library } from './library.ts'
import { Machine } from './machine.ts'
import { OwnerProcess } from './owner-process.ts'
import { Reached } from './reached.ts'
import type { RunContext } from './run-context.ts'
import type { Action, Deed, Script } from './script.ts'
import { StoreAudit } from './store-audit.ts'
import { StoreDisk } from './store-disk.ts'
import { StoreHost } from './store-host.ts'
import { Tellings } from './tellings.ts'
import { Timeline } from './timeline.ts'
import { FAULTS, type Fault, type Network, Wire } from './wire.ts'
import { Witness } from './witness.ts'

/** Everything of one run: a store, processes in their places, the network between them, and those who watch. */
export class World {
  readonly script: Script
  readonly timeline: Timeline = new Timeline()
  readonly reached: Reached = new Reached()
  readonly host: StoreHost
  readonly audit: StoreAudit
  readonly tellings: Tellings
  readonly callers: Callers
  readonly network: Network
  readonly context: RunContext
  /** Every process, also those that are dead or closed. */
  readonly processes: OwnerProcess[] = []
  readonly trace: string[] = []
  violation: unknown = null
  crashes = 0
  /** Clocks were set, of the store or of owners. */
  jumps = 0
  standstills = 0
  readonly #library: Library
  readonly #places: (OwnerProcess | undefined)[]
  readonly #isTraced: boolean
  readonly #disk: StoreDisk
  readonly #witness: Witness
  readonly #closer: Closer

  constructor(library: Library, script: Script, isTraced: boolean) {
    const { setting } = script
    this.script = script
    this.#library = library
    this.#isTraced = isTraced
    this.#disk = new StoreDisk(library, setting)
    this.host = new StoreHost(this.timeline, setting.startMs, (now) => this.#disk.open(now))
    const clocks = { store: () => this.host.now(), trueMs: () => this.timeline.nowMs }
    this.tellings = new Tellings(setting)
    this.audit = new StoreAudit(this.host, clocks, setting, this.reached, (budget) => this.tellings.saw(budget))
    this.host.onFailure = (error) => this.fail(error)
    this.host.auditor = {
      joined: (label, joined) => this.audit.joined(label, joined).catch((error: unknown) => this.fail(error)),
      exchanged: (batch, answer) => this.audit.exchanged(batch, answer).catch((error: unknown) => this.fail(error)),
    }
    this.#places = Array.from({ length: setting.places }, () => undefined)
    this.network = {
      timeline: this.timeline,
      host: this.host,
      weather: setting.weather,
      faults: Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>,
      refusedByOutage: 0,
      reached: this.reached,
      failure: (message, applied) => new library.StoreError('store_failed', message, { applied, transient: true }),
    }
    this.context = {
      setting,
      tellings: this.tellings,
      audit: this.audit,
      reached: this.reached,
      storeTime: () => this.host.now(),
      isExpected: (error) => error instanceof library.VsaError || error instanceof library.StoreError,
      trace: (line) => this.note(line),
      fail: (error) => this.fail(error),
      operations: 0,
    }
    this.#witness = new Witness(this.context, this.processes)
    this.#closer = new Closer(this.context, this.#witness)
    this.callers = new Callers(this.context)
    this.timeline.afterEach = () => {
      for (const { books } of this.processes)
        for (const row of books.told.names()) this.tellings.assertCovered(books, row)
    }
  }

  note(line: () => string): void {
    if (this.#isTraced) this.trace.push(`${this.timeline.nowMs.toFixed(1).padStart(9)} ${line()}`)
  }

  /** The run ends here. */
  fail(error: unknown): void {
    this.violation ??= error
    this.note(() => `FAILED ${String(error)}`)
    this.timeline.stop()
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
    const dice = new Dice(seed, 'wire', number)
    const wire = new Wire(this.network, machine, dice, setting.corrupt, (batch, answer) =>
      this.#witness.answerLost(number, batch, answer),
    )
    const { open } = this.#library
    const random = new Dice(seed, 'engine', number).random
    const owner = new OwnerProcess({
      open,
      number,
      label,
      machine,
      store: this.#witness.beside(wire, number),
      setting,
      random,
      onEvent: (event) => this.#witness.heard(number, event),
    })
    this.processes.push(owner)
    this.#places[place] = owner
    this.note(() => `${owner.name} starts`)
    return owner
  }

  act({ place, ...deed }: Action): void {
    const owner = this.#places[place]
    if (deed.kind === 'jump' && deed.who === 'store') return this.#jumpStore(deed.byMs)
    if (deed.kind === 'outage') return this.#outage(deed)
    if (owner === undefined || owner.machine.dead) return
    // O13: until the last batch is sent, units may be given back and counters added to; behind it, the callers are told.
    const isTaken = owner.serves || (owner.machine.running && (deed.kind === 'refund' || deed.kind === 'add'))
    if (isTaken) this.#do(owner, place, deed)
  }

  #do(owner: OwnerProcess, place: number, deed: Deed): void {
    const { callers } = this
    switch (deed.kind) {
      case 'ask':
        return callers.ask(owner, deed)
      case 'try':
        return void callers.tryMany(owner, deed)
      case 'all':
        return callers.all(owner, deed)
      case 'churn':
        return callers.churn(owner, deed)
      case 'refund':
        return callers.refund(owner, deed, new Dice(this.script.seed, 'deed', this.timeline.nowMs, place))
      case 'mint':
        return callers.mint(owner, deed)
      case 'add':
        return callers.add(owner, deed)
      case 'count':
        return callers.count(owner, deed)
      case 'flush':
        return callers.flush(owner, deed)
      case 'peek':
        return callers.peek(owner, deed)
      case 'misuse':
        return callers.misuse(owner, deed)
      case 'close':
        this.close(owner, deed.deadlineMs, deed.twice)
        this.timeline.after(deed.deadlineMs + 50, () => this.start(place))
        return
      case 'replace':
        this.close(owner, 5_000, false)
        this.start(place)
        return
      case 'crash':
        return this.#crash(owner, place, deed.restartAfterMs)
      case 'stand':
        return this.#stand(owner, deed)
      case 'jump':
        this.jumps += 1
        this.reached.note('5 wall clock of an owner jumps')
        owner.machine.jump(deed.byMs)
        return
      case 'outage':
        return this.#outage(deed)
    }
  }

  close(owner: OwnerProcess, deadlineMs: number, twice: boolean): void {
    this.#closer.close(owner, deadlineMs, twice)
  }

  #crash(owner: OwnerProcess, place: number, restartAfterMs: number): void {
    this.crashes += 1
    this.note(() => `${owner.name} is killed`)
    if (this.#witness.isUncertain(owner.vsa.stats().epoch)) this.reached.note('2 answer lost, process dies')
    owner.machine.die()
    this.timeline.after(restartAfterMs, () => this.start(place))
  }

  #stand(owner: OwnerProcess, { how, forMs, wakesWith }: DeedOf<'stand'>): void {
    this.standstills += 1
    this.note(() => `${owner.name} is ${how} for ${forMs} ms`)
    if (how === 'suspended') this.reached.note('5 monotonic time stands still')
    if (forMs > this.script.setting.leaseTtlMs) this.reached.note('22 event loop blocked beyond the lease')
    owner.machine.stand(how)
    owner.requests.standstills += 1
    this.timeline.after(forMs, () => {
      this.note(() => `${owner.name} goes on`)
      owner.machine.goOn()
      // It was in the middle of admitting.
      if (!owner.serves) return
      for (let budget = 0; budget < wakesWith; budget += 1)
        this.callers.tryMany(owner, { kind: 'try', budget, units: 1, times: 2 })
    })
  }

  #jumpStore(byMs: number): void {
    this.jumps += 1
    this.note(() => `the store's clock jumps by ${byMs} ms`)
    this.reached.note('5 clock of the store jumps')
    this.host.jump(byMs)
  }

  #outage({ how, forMs }: DeedOf<'outage'>): void {
    this.note(() => `the store is ${how} for ${forMs} ms`)
    this.host.fail(how, forMs)
  }

  /** Removes what the run has left on the disk. */
  end(): Promise<void> {
    return this.#disk.remove(() => this.host.close())
  }
}
