import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CommandError } from '../report.ts'
import type { StorePlace } from '../stores/store-place.ts'
import type { AgentLine } from './agent.ts'

/** An agent in a process of its own, and what it has said so far. */
export class AgentProcess {
  readonly name: string
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #saidAll: Promise<unknown>
  readonly #waiting = new Set<() => void>()
  #isReady = false
  #hasEnded = false
  /** Null until the store has answered. */
  runs: boolean | null = null
  /** Credits that it has metered, by its own log. */
  metered = 0

  /** Starts it with the command line at `cliPath`. */
  constructor(cliPath: string, place: StorePlace, name: string) {
    this.name = name
    const child = spawn(process.execPath, [cliPath, 'demo-agent', place.address, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child = child
    this.#exited = once(child, 'exit')
    // What is written to a process that has ended is lost, which its exit says.
    child.stdin.on('error', () => undefined)
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => this.#note(line))
    this.#saidAll = once(lines, 'close').then(() => {
      this.#hasEnded = true
      this.#look()
    })
  }

  ready(withinMs: number): Promise<void> {
    return this.#until(() => this.#isReady, withinMs)
  }

  /** Lets it reserve. */
  call(): void {
    this.#child.stdin?.write('now\n')
  }

  answered(withinMs: number): Promise<void> {
    return this.#until(() => this.runs !== null, withinMs)
  }

  hasMetered(credits: number, withinMs: number): Promise<void> {
    return this.#until(() => this.metered >= credits, withinMs)
  }

  /** SIGKILL, and then the rest of its log. @returns whether it was this that ended it */
  async kill(): Promise<boolean> {
    this.#child.kill('SIGKILL')
    await Promise.all([this.#exited, this.#saidAll])
    return this.#child.signalCode === 'SIGKILL'
  }

  #note(text: string): void {
    // Written by `say` of `agent.ts`; the last line of a killed process is whole, because a pipe takes a short line at once.
    const line = JSON.parse(text) as AgentLine
    if (line.at === 'ready') this.#isReady = true
    else if (line.at === 'answered') this.runs = line.runs
    else this.metered = line.credits
    this.#look()
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }

  #until(isSo: () => boolean, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
      }
      const fail = (what: string): void => {
        end()
        reject(new CommandError('agent_failed', `${this.name} ${what}`))
      }
      const look = (): void => {
        if (isSo()) {
          end()
          resolve()
        } else if (this.#hasEnded) fail('ended too early')
      }
      const timer = setTimeout(() => fail(`was not so far within ${withinMs} ms`), withinMs)
      this.#waiting.add(look)
      look()
    })
  }
}
