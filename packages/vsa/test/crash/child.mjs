// A process that admits as fast as it can until it is killed, and writes down what it was told. Plain JavaScript on the built package: what
// users run. Its one argument is JSON: see `ChildOrder` in crew.ts.
import { openSync, writeSync } from 'node:fs'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'

const order = JSON.parse(process.argv[2])
const tally = openSync(order.tally, 'a')
const vsa = open({
  store: sqlite(order.file, { leaseTtlMs: order.leaseTtlMs, thread: order.thread }),
  flushIntervalMs: order.flushIntervalMs,
  onEvent: (event) => note('E', event.error?.code ?? event.type, event.units ?? 0),
})
const budgets = Object.entries(order.policies).map(([key, policy]) => vsa.budget(key, policy))
const isDurable = (budget) => order.durable.includes(budget.key)
const takesRefunds = (budget) => order.refunded.includes(budget.key)
let state = order.seed
let isClosing = false

/** One line for each fact, in the file before anything else happens: an intent (I), and its end as told (A admitted, D denied, U unknown). */
function note(mark, key, units) {
  writeSync(tally, `${mark} ${key} ${units}\n`)
}

function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 4_294_967_296
}

function below(limit) {
  return Math.floor(random() * limit)
}

/** From memory: what is told is in the tally before the next line of the caller runs. */
function tryMany(budget) {
  for (let times = 1 + below(20); times > 0; times--) {
    const units = 1 + below(3)
    note('I', budget.key, units)
    note(budget.tryAdmit(units) ? 'A' : 'D', budget.key, units)
  }
}

async function ask(needs, asking) {
  for (const [budget, units] of needs) note('I', budget.key, units)
  const end = await asking().then(
    (admitted) => (admitted ? 'A' : 'D'),
    (error) => {
      note('E', error.code ?? error.name, 0)
      return error.applied === 'no' ? 'D' : 'U'
    },
  )
  for (const [budget, units] of needs) note(end, budget.key, units)
  return end === 'A'
}

async function admitSome(budget) {
  const units = 1 + below(4)
  const options = random() < 0.2 ? { durable: true } : {}
  const admitted = await ask([[budget, units]], () => budget.admit(units, options))
  if (!admitted || !takesRefunds(budget) || random() < 0.5) return
  // Before the call: what the store accepts is never more than what the tally says.
  note('R', budget.key, units)
  try {
    budget.refund(units)
  } catch (error) {
    note('E', error.code, 0)
  }
}

async function admitPair(budget) {
  const other = budgets[below(budgets.length)]
  if (other === budget) return
  const needs = [
    [budget, 1 + below(2)],
    [other, 1 + below(2)],
  ]
  await ask(needs, () => vsa.admitAll(needs))
}

async function work() {
  while (!isClosing) {
    const budget = budgets[below(budgets.length)]
    const die = random()
    if (die < 0.4 && !isDurable(budget)) tryMany(budget)
    else if (die < 0.85) await admitSome(budget)
    else await admitPair(budget)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

process.on('SIGTERM', () => {
  isClosing = true
  vsa.close().then(
    () => {
      note('C', 'closed', 0)
      process.exit(0)
    },
    (error) => {
      note('E', error.code, 0)
      process.exit(1)
    },
  )
})
// Whoever started this may be gone, and nobody else will end it.
setTimeout(() => process.exit(3), order.lifeMaxMs).unref()
vsa
  .ready()
  .catch((error) => note('E', error.code, 0))
  .finally(() => process.stdout.write('ready\n'))
await Promise.all(Array.from({ length: order.callers }, work))
