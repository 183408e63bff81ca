import type { Vsa, WindowPolicy } from '../index.ts'
import { budgetKey, idOf } from './budget-key.ts'
import { KeyWindow } from './key-window.ts'

export interface KeyWindowsOptions {
  readonly vsa: Vsa
  /** Of the keys of all budgets. */
  readonly prefix: string
  readonly policyOf: (key: string) => WindowPolicy
  /** Keys that are kept at most, at least 2. */
  readonly keysMax: number
}

/**
 * The keys that were used last, at most `keysMax`, in two generations: a full one becomes the old one, and what was not used meanwhile is forgotten.
 * That loses figures for display, and nothing that the budget counts.
 */
export class KeyWindows {
  readonly #options: KeyWindowsOptions
  readonly #generationMax: number
  #young = new Map<string, KeyWindow>()
  #old = new Map<string, KeyWindow>()

  constructor(options: KeyWindowsOptions) {
    this.#options = options
    this.#generationMax = Math.floor(options.keysMax / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** @throws TypeError for a key that is no string; VsaError `policy_conflict` where another limiter has this prefix */
  of(key: string): KeyWindow {
    return this.#young.get(key) ?? this.#find(key)
  }

  /** Undefined for a key that this process does not remember. */
  peek(key: string): KeyWindow | undefined {
    const id = idOf(key)
    return this.#young.get(id) ?? this.#old.get(id)
  }

  forget(key: string): void {
    const id = idOf(key)
    this.#young.delete(id)
    this.#old.delete(id)
  }

  all(): KeyWindow[] {
    return [...this.#young.values(), ...this.#old.values()]
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
  }

  #find(key: string): KeyWindow {
    const id = idOf(key)
    const known = this.#young.get(id) ?? this.#old.get(id)
    if (known === undefined) return this.#keep(id, this.#make(id, key))
    if (this.#old.delete(id)) this.#keep(id, known)
    return known
  }

  #make(id: string, key: string): KeyWindow {
    const { vsa, prefix, policyOf } = this.#options
    const policy = policyOf(key)
    return new KeyWindow(id, vsa.budget(budgetKey(prefix, key), policy), policy)
  }

  #keep(id: string, window: KeyWindow): KeyWindow {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(id, window)
    return window
  }
}
