import { spawn, type ChildProcess as NodeProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { JOINED, type ChildConfig } from './child-config.ts'
import type { ClockStep } from './clock-schedule.ts'

// The compiled files, also when this file runs as TypeScript: a child needs JavaScript.
const PROGRAM = fileURLToPath(new URL('../../dist/chaos/child.js', import.meta.url))
const CLOCK_SHIFT = fileURLToPath(new URL('../../dist/chaos/clock-shift.cjs', import.meta.url))

/** How a child ended, and what it wrote to standard error. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** One running child. */
export class ChildProcess {
  /** Resolves with whether the child has joined the store; false when it failed, or ended before. Never rejects. */
  readonly ready: Promise<boolean>
  /** Resolves when the child has ended. Never rejects: a child that could not be started has ended, too. */
  readonly ended: Promise<ChildEnd>
  readonly #process: NodeProcess

  /** @param clockSteps the offsets of its wall clock; empty: the clock is correct */
  constructor(config: ChildConfig, clockSteps: readonly ClockStep[]) {
    const clock = { NODE_OPTIONS: `--require=${CLOCK_SHIFT}`, VSA_CHAOS_CLOCK: JSON.stringify(clockSteps) }
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(config)], {
      // The child exits when its input ends, which happens however this process ends.
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...(clockSteps.length > 0 && clock) },
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    this.#process = child
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stderr }))
      child.on('error', (error) => resolve({ code: null, signal: null, stderr: `${stderr}${String(error)}` }))
    })
    this.ready = new Promise((resolve) => {
      child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.startsWith(JOINED)))
      child.on('close', () => resolve(false))
      child.on('error', () => resolve(false))
    })
  }

  send(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#process.kill(signal)
  }
}
