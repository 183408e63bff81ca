import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Five agents, each a process of its own, which start at the same moment. */
export async function startAgents(program) {
  const agents = [1, 2, 3, 4, 5].map((number) => {
    const agent = fork(join(import.meta.dirname, program), [`agent-${number}`])
    return { name: `agent-${number}`, process: agent, ended: once(agent, 'exit') }
  })
  await Promise.all(agents.map(isReady))
  for (const agent of agents) agent.process.send('go')
  return agents
}

async function isReady({ name, process: agent, ended }) {
  const failed = ended.then(([code]) => Promise.reject(new Error(`${name} ended with ${code} before it was ready`)))
  await Promise.race([once(agent, 'message'), failed])
}

/** Waits until the parent says go. */
export async function readyToGo() {
  process.send('ready')
  await once(process, 'message')
}

/** A model that answers in 50 chunks of 10 credits each. */
export async function* modelStream() {
  for (let chunk = 0; chunk < 50; chunk += 1) {
    await new Promise((resolve) => setTimeout(resolve, 4))
    yield { text: 'lorem ', credits: 10 }
  }
}
