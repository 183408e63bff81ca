import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Contender } from '../contenders/contender.ts'
import type { Workload } from '../workloads/workload.ts'
import type { Answers, Command, CommandName, Reply } from './messages.ts'

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url))
const PRELOAD = new URL('../meters/sqlite-preload.js', import.meta.url).href
/** A command that takes longer than this has failed. */
const ANSWER_MAX_MS = 180_000

/** A process of `worker.ts`. */
export class BenchProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start({ name, store }: Contender, workload: Workload): Promise<BenchProcess> {
    const child = fork(PROGRAM, [name, workload.name], {
      serialization: 'advanced',
      // Threads get it from NODE_OPTIONS alone.
      env: { ...process.env, ...(store === 'sqlite' && { NODE_OPTIONS: `--import=${PRELOAD}` }) },
    })
    const failed = once(child, 'exit').then(() => Promise.reject(new Error(`the process of ${name} ended`)))
    await Promise.race([once(child, 'message'), failed])
    return new BenchProcess(child)
  }

  /** @throws Error with what the process says */
  async tell<Name extends CommandName>(command: Extract<Command, { do: Name }>): Promise<Answers[Name]> {
    const stop = new AbortController()
    const options = { signal: stop.signal }
    try {
      const answered = once(this.#child, 'message', options)
      const ended = once(this.#child, 'exit', options).then(() => Promise.reject(new Error('its process ended')))
      const late = once(AbortSignal.timeout(ANSWER_MAX_MS), 'abort', options).then(() =>
        Promise.reject(new Error(`no answer to ${command.do} within ${ANSWER_MAX_MS / 1_000} s`)),
      )
      this.#child.send(command)
      // The worker of the same build sent it.
      const [reply] = (await Promise.race([answered, ended, late])) as [Reply<Name>]
      if ('failed' in reply) throw new Error(reply.failed)
      return reply.answer
    } finally {
      stop.abort()
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
