import { Worker } from 'node:worker_threads'
import { StoreError } from '../../../core/errors.ts'
import { errorOf, type Calls, type CallName, type Reply, type ThreadSettings } from './wire.ts'

interface Pending {
  readonly resolve: (result: Calls[CallName]['result']) => void
  readonly reject: (error: Error) => void
}

/** One run of the store's thread, and the calls that wait for it. It keeps the process alive only while a call is under way. */
export class StoreThread {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #path: string
  #calls = 0
  #alive = true

  constructor(settings: ThreadSettings) {
    this.#path = settings.path
    // The thread needs no flags of this process, and some (--input-type) would prevent its start.
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: settings,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      name: 'vsa-sqlite',
    })
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#die(new Error(`the thread ended with code ${code}`)))
  }

  /** False once the thread has ended. Then it must be replaced. */
  get isAlive(): boolean {
    return this.#alive
  }

  /** @throws StoreError `store_lost` when the thread ends before it has answered; also the errors of the call itself */
  call<Name extends CallName>(name: Name, argument: Calls[Name]['argument']): Promise<Calls[Name]['result']> {
    this.#calls += 1
    const id = this.#calls
    return new Promise((resolve, reject) => {
      // The empty transfer list satisfies a lint rule for `window.postMessage`.
      this.#worker.postMessage({ id, call: name, argument }, [])
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

  #settle(reply: Reply): void {
    const waiting = this.#pending.get(reply.id)
    if (waiting === undefined) return
    this.#pending.delete(reply.id)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('failure' in reply) waiting.reject(errorOf(reply.failure))
    else waiting.resolve(reply.result)
  }

  #die(cause: Error): void {
    this.#alive = false
    const error = isMissingModule(cause) ? missingFile(this.#path, cause) : lost(this.#path, cause)
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(error)
  }
}

function lost(path: string, cause: Error): StoreError {
  const message = `the thread that keeps ${path} ended before it answered: ${cause.message}. The next call starts another`
  return new StoreError('store_lost', message, { applied: 'unknown', transient: true, cause })
}

function missingFile(path: string, cause: Error): StoreError {
  const message = `the thread that would keep ${path} could not start, because a file of vsa is missing, as after bundling: pass thread: false`
  return new StoreError('store_failed', message, { applied: 'no', transient: false, cause })
}

function isMissingModule(error: Error): boolean {
  return 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
}
