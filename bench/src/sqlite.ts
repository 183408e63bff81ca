import { parseArgs } from 'node:util'
import { collector } from './measure/collector.ts'
import { machine } from './report/machine.ts'
import { crowd } from './sqlite/crowd.ts'
import { durable } from './sqlite/durable.ts'
import {
  crowdFloors,
  DURABLE_FLOORS,
  durableFloors,
  flushFloors,
  fullSpeedFloors,
  memoryFloors,
  openReservationFloors,
  reservationFloors,
} from './sqlite/floors.ts'
import { flush } from './sqlite/flush.ts'
import { fullSpeed } from './sqlite/full-speed.ts'
import { memory } from './sqlite/memory.ts'
import { openReservations } from './sqlite/open-reservations.ts'
import { reservations } from './sqlite/reservations.ts'
import { withTemporaryFolder } from './sqlite/temporary-folder.ts'
import { sqliteText } from './sqlite/sqlite-text.ts'

/*
 * `npm run bench:sqlite`: VSA on a real file, threaded, synchronous=FULL. `--part full-speed|durable|flush|crowd|memory|
 * reservations|open-reservations` runs one part.
 * Exits with 1 when the books do not balance.
 */

const PARTS = ['full-speed', 'durable', 'flush', 'crowd', 'memory', 'reservations', 'open-reservations']

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    part: { type: 'string', multiple: true, default: PARTS },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    budgets: { type: 'string', default: '200000' },
    changed: { type: 'string', default: '10000' },
    keys: { type: 'string', default: '100000' },
    reservations: { type: 'string', default: '1000000' },
  },
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const asked = (part: string): boolean => values.part.includes(part)

const host = machine()
const ran = await withTemporaryFolder(async (folder) => ({
  ...(asked('full-speed') && { fullSpeed: await fullSpeed(folder, seconds, rounds) }),
  ...(asked('durable') && { durable: await durable(folder, [...DURABLE_FLOORS.keys()], seconds / 4, rounds) }),
  ...(asked('flush') && { flush: await flush(folder, Number(values.changed), rounds) }),
  ...(asked('crowd') && { crowd: await crowd(folder, Number(values.keys)) }),
  ...(asked('memory') && { memory: await memory(folder, Number(values.budgets), collector()) }),
  ...(asked('reservations') && { reservations: await reservations(folder, seconds / 4, rounds) }),
  ...(asked('open-reservations') && {
    openReservations: await openReservations(folder, Number(values.reservations), collector()),
  }),
}))
const floors = [
  ...(ran.fullSpeed === undefined ? [] : fullSpeedFloors(ran.fullSpeed)),
  ...(ran.durable === undefined ? [] : durableFloors(ran.durable)),
  ...(ran.flush === undefined ? [] : flushFloors(ran.flush)),
  ...(ran.crowd === undefined ? [] : crowdFloors(ran.crowd)),
  ...(ran.memory === undefined ? [] : memoryFloors(ran.memory)),
  ...(ran.reservations === undefined ? [] : reservationFloors(ran.reservations)),
  ...(ran.openReservations === undefined ? [] : openReservationFloors(ran.openReservations)),
]
const balanced = Object.values(ran).every((part) => part.balanced)
const report = {
  bench: 'sqlite',
  machine: host,
  ...ran,
  floors,
  floorsMet: floors.every((floor) => floor.met),
  balanced,
}
console.log(values.json ? JSON.stringify(report, null, 2) : sqliteText(report))
if (!balanced) process.exitCode = 1
