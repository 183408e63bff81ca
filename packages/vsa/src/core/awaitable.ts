import type { Awaitable } from './adapter.ts'

/** In the same turn when `value` is not a promise. */
export function andThen<A, B>(value: Awaitable<A>, work: (value: A) => Awaitable<B>): Awaitable<B> {
  return isPromise(value) ? Promise.resolve(value).then(work) : work(value)
}

/** Passes what `work` throws, or rejects with, to `fail`. */
export function caught<T>(work: () => Awaitable<T>, fail: (error: unknown) => never): Awaitable<T> {
  try {
    const done = work()
    return isPromise(done) ? Promise.resolve(done).catch(fail) : done
  } catch (error) {
    return fail(error)
  }
}

/** Also one of another realm or library, which is no instance of this `Promise`. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
