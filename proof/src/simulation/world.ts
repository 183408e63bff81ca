import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, Batch, Store, VsaEvent } from '../../../packages/vsa/dist/index.js'
import { Callers, type CallerContext } from './callers.ts'
import { Dice } from './dice.ts'
import { Machine } from './machine.ts'
import { OwnerProcess } from './owner-process.ts'
import { rowName } from './process-books.ts'
import { Reached } from './reached.ts'
import type { Action, Deed, Script } from './script.ts'
import type { Library } from './library.ts'
import { StoreAudit } from './store-audit.ts'
import { StoreHost } from './store-host.ts'
import { Tellings } from './tellings.ts'
import { Timeline } from './timeline.ts'
import { Violation } from './violation.ts'
import { FAULTS, type Fault, type Network, Wire } from './wire.ts'

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
  readonly context: CallerContext
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
  /** What an answer that was lost was about, by epoch. */
  readonly #lostAnswers = new Map<number, Batch>()
  #memory: Store | null = null
  #folder: string | null = null

  constructor(library: Library, script: Script, isTraced: boolean) {
    const { setting } = script
    this.script = script
    this.#library = library
    this.#isTraced = isTraced
    this.host = new StoreHost(this.timeline, setting.startMs, (now) => this.#openStore(now))
    const clocks = { store: () => this.host.now(), trueMs: () => this.timeline.nowMs }
    this.audit = new StoreAudit(this.host, clocks, setting, this.reached, (row) => {
      this.tellings.assertBound(row, row.slice(row.indexOf(':') + 1))
    })
    this.host.auditor = {
      joined: (label, joined) => this.audit.joined(label, joined).catch((error: unknown) => this.fail(error)),
      exchanged: (batch, answer) => this.audit.exchanged(batch, answer).catch((error: unknown) => this.fail(error)),
    }
    this.tellings = new Tellings(setting, () => this.audit)
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
    this.callers = new Callers(this.context)
    this.timeline.afterEach = () => {
      for (const { books } of this.processes) for (const row of books.told.names()) this.tellings.assertCovered(books, row)
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
    const wire = new Wire(this.network, machine, dice, setting.corrupt, (batch, answer) => this.#answerLost(number, batch, answer))
    const { open } = this.#library
    const random = new Dice(seed, 'engine', number).random
    const owner = new OwnerProcess({ open, number, label, machine, store: this.#traced(wire, number), setting, random, onEvent: (event) => this.#heard(number, event) })
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

  /** Resolves when the close has ended, either way. */
  close(owner: OwnerProcess, deadlineMs: number, twice: boolean): void {
    owner.closing = true
    this.note(() => `${owner.name} closes`)
    const epoch = owner.vsa.stats().epoch
    const lost = epoch === null ? undefined : this.#lostAnswers.get(epoch)
    if (lost !== undefined) this.reached.note('22 close while the answer is uncertain')
    const told = owner.requests.add('close', deadlineMs)
    const closed = owner.vsa.close({ deadlineMs })
    if (twice) {
      this.reached.note('22 close twice')
      if (owner.vsa.close() !== closed) this.fail(new Violation('O13', 'two closes have two ends'))
    }
    closed.then(
      () => {
        told()
        owner.closed = true
        this.note(() => `${owner.name} is closed`)
        const end = this.audit.epoch(epoch)?.end
        if (end === null) this.fail(new Violation('S9', `${owner.name} is told that it is closed, and epoch ${epoch} is open`))
      },
      (error: unknown) => {
        told()
        owner.ambiguous = true
        this.note(() => `${owner.name} close: ${String(error)}`)
        if (!this.context.isExpected(error)) this.fail(error)
      },
    )
  }

  #crash(owner: OwnerProcess, place: number, restartAfterMs: number): void {
    this.crashes += 1
    this.note(() => `${owner.name} is killed`)
    const { epoch } = owner.vsa.stats()
    if (epoch !== null && this.#lostAnswers.has(epoch)) this.reached.note('2 answer lost, process dies')
    owner.machine.die()
    this.timeline.after(restartAfterMs, () => this.start(place))
  }

  #stand(owner: OwnerProcess, { how, forMs, wakesWith }: Extract<Deed, { kind: 'stand' }>): void {
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
      for (let budget = 0; budget < wakesWith; budget += 1) this.callers.tryMany(owner, { kind: 'try', budget, units: 1, times: 2 })
    })
  }

  #jumpStore(byMs: number): void {
    this.jumps += 1
    this.note(() => `the store's clock jumps by ${byMs} ms`)
    this.reached.note('5 clock of the store jumps')
    this.host.jump(byMs)
  }

  #outage({ how, forMs }: Extract<Deed, { kind: 'outage' }>): void {
    this.note(() => `the store is ${how} for ${forMs} ms`)
    this.host.fail(how, forMs)
  }

  #answerLost(number: number, batch: Batch, answer: Answer): void {
    this.note(() => `the answer to ${this.processes[number]?.name ?? number} ${batch.seq} is lost: ${answer.kind}`)
    this.#lostAnswers.set(batch.epoch, batch)
    if (answer.kind === 'applied' && batch.close) this.reached.note('31 close whose answer is lost')
  }

  #heard(number: number, event: VsaEvent): void {
    const owner = this.processes[number]
    this.note(() => `${owner?.name ?? number} event ${JSON.stringify(event)}`)
    switch (event.type) {
      case 'joined':
        if (owner !== undefined) this.#joined(owner, event.epoch)
        return
      case 'fenced':
        if (owner !== undefined) owner.fenced = true
        return
      case 'refunds_refused':
        owner?.books.refused.add(`${event.period}:${event.key}`, event.units)
        return
      case 'policy_conflict':
        this.reached.note('23 owners that disagree on a limit')
        return
      case 'quarantined':
        if (event.key === this.script.setting.corrupt) return
        return this.fail(new Violation('L2', `quarantined without a reason: ${JSON.stringify(event)}`))
      case 'store_forgot':
      case 'row_lost':
        return this.fail(new Violation('L3', `the engine says what cannot be: ${JSON.stringify(event)}`))
      case 'burned':
      case 'burn_limit':
      case 'store_away':
      case 'store_back':
      case 'threshold':
      case 'counter_overflow':
        return
    }
  }

  /** S9: whoever has closed its epoch is closed, also where the answer was lost: it opens no other. */
  #joined(owner: OwnerProcess, epoch: number): void {
    if (this.audit.epoch(owner.epoch)?.end === 'closed') {
      this.fail(new Violation('S9', `${owner.name} had closed epoch ${owner.epoch}, and opens ${epoch}`))
    }
    owner.epoch = epoch
    this.audit.own(epoch, owner.books)
  }

  /** Notes what passes, for the trace and for scenarios that only the wire sees. */
  #traced(wire: Wire, number: number): Store {
    /** Rows that this process has marked as wanted. */
    const wanted = new Set<string>()
    const exchange = (batch: Batch): Promise<Answer> => {
      this.note(() => `${this.processes[number]?.name ?? number} sends ${JSON.stringify(batch)}`)
      const heard = wire.exchange(batch)
      heard.then(
        (answer) => {
          this.note(() => `${this.processes[number]?.name ?? number} hears ${JSON.stringify(answer)}`)
          if (answer.kind === 'replayed') this.reached.note('1 answer lost, batch repeated')
          if (answer.kind === 'applied' || answer.kind === 'replayed') this.#lostAnswers.delete(batch.epoch)
          this.#noteGrants(batch, answer, wanted)
        },
        () => undefined,
      )
      return heard
    }
    return {
      capabilities: wire.capabilities,
      exchange,
      join: (label) => wire.join(label),
      read: (names) => wire.read(names),
      list: () => wire.list(),
      owners: () => wire.owners(),
      close: () => wire.close(),
    }
  }

  #noteGrants({ entries, takes }: Batch, answer: Answer, wanted: Set<string>): void {
    if (answer.kind !== 'applied') return
    for (const [at, { need }] of takes.entries()) {
      const entry = entries[need[0]?.[0] ?? -1]
      if (entry?.kind !== 'budget' || (answer.granted[at] ?? 0) === 0) continue
      if (wanted.delete(rowName(entry.key, entry.period))) this.reached.note('10 last units were leased to another')
    }
    for (const entry of entries) if (entry.kind === 'budget' && entry.wantMs > 0) wanted.add(rowName(entry.key, entry.period))
    const isPartial = takes.length > 1 && answer.granted.some((granted) => granted > 0) && takes.some(({ n }, at) => n > (answer.granted[at] ?? 0))
    if (isPartial) this.reached.note('26 the first in line of several costs')
  }

  #openStore(now: () => number): Store {
    const { store, leaseTtlMs } = this.script.setting
    // What it has in memory stands for what a store has on its disk: a restart does not lose it.
    if (store === 'memory') return (this.#memory ??= this.#library.memory({ now, leaseTtlMs }))
    this.#folder ??= mkdtempSync(join(tmpdir(), 'vsa-sim-'))
    return this.#library.sqlite(join(this.#folder, 'books.db'), { thread: false, now, leaseTtlMs })
  }

  /** Removes what the run has left on the disk. */
  async end(): Promise<void> {
    if (this.#folder === null) return
    await this.host.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
