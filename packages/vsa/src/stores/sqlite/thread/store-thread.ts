import { Worker } from 'node:worker_threads'
import { StoreError } from '../../../core/errors.ts'
import { GATE_BYTES } from '../client/native-gate.ts'
import { isLockLoss } from '../errors.ts'
import { endWithProcess } from './process-end.ts'
import { noThread, THREAD_PROOF, threadFile } from './proof.ts'
import { errorOf, type Calls, type CallName, type Reply, type ThreadSettings, type ThreadStart } from './wire.ts'

interface Pending {
  readonly resolve: (result: Calls[CallName]['result']) => void
  readonly reject: (error: Error) => void
}

/** One run of the store's thread, and the calls that wait for it. It keeps the process alive only while a call is under way. */
export class StoreThread {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #path: string
  readonly #ended: () => void
  #calls = 0
  #alive = true
  #hasEnded = false
  #isProven = false

  /** @throws StoreError `store_failed`, not transient, where the file of the thread is missing or another */
  constructor(settings: ThreadSettings) {
    this.#path = settings.path
    const file = threadFile(settings.path, import.meta.url)
    const gate = new SharedArrayBuffer(GATE_BYTES)
    const workerData: ThreadStart = { ...settings, gate }
    // The thread needs no flags of this process, and some (--input-type) would prevent its start.
    const execArgv = ['--disable-warning=ExperimentalWarning']
    this.#worker = new Worker(file, { workerData, execArgv, name: 'vsa-sqlite' })
    this.#ended = endWithProcess(gate)
    this.#worker.unref()
    this.#worker.on('message', (message: Reply | string) => this.#hear(message))
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#exited(code))
  }

  /** False once the thread has ended, or is about to end. Then it must be replaced. */
  get isAlive(): boolean {
    return this.#alive
  }

  /** @throws StoreError `store_lost` when the thread ends before it has answered; also the errors of the call itself */
  call<Name extends CallName>(name: Name, argument: Calls[Name]['argument']): Promise<Calls[Name]['result']> {
    this.#calls += 1
    const id = this.#calls
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) throw lost(this.#path, 'it had ended before')
      // The empty transfer list satisfies a lint rule for `window.postMessage`.
      this.#worker.postMessage([id, name, argument], [])
      // The reply to this id has this call's type, by the worker's `switch`.
      this.#pending.set(id, { resolve, reject })
      if (this.#pending.size === 1) this.#worker.ref()
    })
  }

  /** Answers all earlier calls, then ends the thread. Never rejects. */
  async close(): Promise<void> {
    try {
      await this.call('close', null)
    } catch {
      // The thread has already ended, and the file is closed.
    }
    await this.#worker.terminate()
  }

  /** The first message proves that the thread is ours. A thread of the program that was started in its place is ended. */
  #hear(message: Reply | string): void {
    if (this.#isProven) {
      if (typeof message !== 'string') this.#settle(message)
      return
    }
    this.#isProven = message === THREAD_PROOF
    if (this.#isProven) return
    this.#fail(noThread(this.#path, 'another thread was started in its place'))
    this.#worker.terminate().catch(() => undefined)
  }

  #settle([id, result, failure]: Reply): void {
    const waiting = this.#pending.get(id)
    if (waiting === undefined) return
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker.unref()
    if (failure === undefined) waiting.resolve(result)
    else this.#refuse(waiting, errorOf(failure))
  }

  /** A thread whose connection has lost its locks ends after this answer, so the next call starts another. */
  #refuse({ reject }: Pending, error: Error): void {
    if (isLockLoss(error)) this.#alive = false
    reject(error)
  }

  #die(cause: Error): void {
    const isOurs = this.#isProven || isOfTheSystem(cause)
    this.#fail(isOurs ? lost(this.#path, cause.message, cause) : noThread(this.#path, cause.message, cause))
  }

  #exited(code: number): void {
    this.#ended()
    this.#hasEnded = true
    const why = `it ended with code ${code}`
    // Ours never ends by itself; a thread that was ended by force has another code.
    this.#fail(this.#isProven || code !== 0 ? lost(this.#path, why) : noThread(this.#path, why))
  }

  #fail(error: StoreError): void {
    this.#alive = false
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(error)
  }
}

/** No memory, no file descriptor, no thread: that may pass. Everything else that prevents a start is in the files. */
function isOfTheSystem(error: Error): boolean {
  return 'syscall' in error || ('code' in error && String(error.code).startsWith('ERR_WORKER_'))
}

function lost(path: string, why: string, cause?: unknown): StoreError {
  const message = `the thread that keeps ${path} ended before it answered: ${why}. The next call starts another`
  return new StoreError('store_lost', message, { applied: 'unknown', transient: true, cause })
}
