import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Eight processes, each with its part of the 5,000 buyers, which start at the same moment. */
export async function startProcesses(program, ...more) {
  const processes = Array.from({ length: 8 }, (_, at) => fork(join(import.meta.dirname, program), [`${at}`, ...more]))
  await Promise.all(processes.map(isReady))
  for (const one of processes) one.send('go')
  return processes
}

async function isReady(one) {
  const failed = once(one, 'exit').then(([code]) => Promise.reject(new Error(`a process ended with ${code}`)))
  await Promise.race([once(one, 'message'), failed])
}

/** Waits until the parent says go. */
export async function readyToGo() {
  process.send('ready')
  await once(process, 'message')
}

/** The 625 buyers of a process. */
export function buyersOf(part) {
  return Array.from({ length: 625 }, (_, at) => `buyer-${part * 625 + at}`)
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
