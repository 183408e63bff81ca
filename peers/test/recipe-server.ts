import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** A recipe that serves. */
export interface RecipeServer {
  readonly url: string
  /** Sends SIGTERM. @returns its exit code or signal, and all that it printed */
  ended(): Promise<{ readonly exit: unknown; readonly log: string }>
}

/** Starts a program and waits until the port answers. It is killed with the test. @throws Error with its log when it ends before */
export async function served(
  program: readonly string[],
  port: number,
  { cwd, env = {} }: Pick<SpawnOptions, 'cwd' | 'env'>,
): Promise<RecipeServer> {
  const child = spawn(process.execPath, program, {
    cwd,
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let log = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const url = `http://127.0.0.1:${port}`
  await answers(url, child, () => log)
  return {
    url,
    ended: async () => {
      child.kill('SIGTERM')
      const [code, signal] = (await exited) as [number | null, string | null]
      return { exit: signal ?? code, log }
    },
  }
}

async function answers(url: string, child: ChildProcess, log: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${log()}`)
    // A path that no recipe limits.
    const answer = await fetch(`${url}/is-there`).catch(() => null)
    if (answer !== null) return
    await after(50)
  }
}
