import type { Policy } from '../../../packages/vsa/dist/index.js'
import type { Library } from './library.ts'

/** A period: from `start` up to, but not with, `end`; both ms since 1970. */
export interface Window {
  readonly start: number
  readonly end: number
}

/** The periods of policies, by the library's calendar: pure functions without engine state. */
export class PolicyWindows {
  readonly #compile: Library['compilePolicy']
  readonly #plans = new Map<Policy, ReturnType<Library['compilePolicy']>>()

  constructor(compile: Library['compilePolicy']) {
    this.#compile = compile
  }

  /** @param time ms since 1970 */
  windowAt(policy: Policy, time: number): Window {
    const plan = this.#plans.get(policy) ?? this.#compile(policy)
    this.#plans.set(policy, plan)
    return plan.windowAt(time)
  }
}
