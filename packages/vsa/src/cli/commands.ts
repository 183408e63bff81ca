import { fileURLToPath } from 'node:url'
import type { Per } from '../core/policy.ts'
import { UNITS_MAX } from '../core/units.ts'
import type { Command, Flag, Operand, ValueOption } from './command.ts'
import { parseDuration, parsePer, parseTimeZone, parseWhole } from './option-values.ts'
import { paintFor } from './paint.ts'
import { type KeyField, parseKeyField } from './replay/key-field.ts'

const FLUSH_MAX_MS = 3_600_000
const DEMO_SECONDS_MAX = 3_600
const ROWS_MAX = 1_000_000

export const JSON_OUTPUT: Flag = { kind: 'flag', name: 'json', help: 'print one JSON document and nothing else' }

const STORE_FILE: Operand = { name: 'store', help: 'the SQLite file', isRequired: true }
const LOG_FILE: Operand = { name: 'file', help: 'the log; - is standard input', isRequired: true }
const ONE_KEY: Operand = { name: 'key', help: 'one budget: all its periods', isRequired: false }
const TALLY_FILE: Operand = { name: 'tally', help: 'the file for its own count', isRequired: true }

const NEW_STORE: ValueOption<string | undefined> = {
  kind: 'value',
  name: 'store',
  value: 'path',
  help: 'keep the store in this new SQLite file (default: a temporary one)',
  default: undefined,
  parse: (path) => path,
}

const KEPT_STORE: ValueOption<string | undefined> = {
  ...NEW_STORE,
  help: 'keep the store in this new SQLite file (default: in memory)',
}

const SECONDS: ValueOption<number> = {
  kind: 'value',
  name: 'seconds',
  value: 'n',
  help: 'how long to run at full speed',
  default: 5,
  defaultText: '5',
  parse: (text) => parseWhole(text, 1, DEMO_SECONDS_MAX),
}

const KEY: ValueOption<KeyField> = {
  kind: 'value',
  name: 'key',
  value: 'field',
  help: 'what has a budget: ip, path, user or field:NAME',
  default: parseKeyField('ip'),
  defaultText: 'ip',
  parse: parseKeyField,
}

const LIMIT: ValueOption<number> = {
  kind: 'value',
  name: 'limit',
  value: 'units',
  help: 'units for each key and period',
  default: 60,
  defaultText: '60',
  parse: (text) => parseWhole(text, 0, UNITS_MAX),
}

const PER: ValueOption<Per> = {
  kind: 'value',
  name: 'per',
  value: 'period',
  help: 'the period: second to year, or such as 90s, 1m, 1h, 1d',
  default: 60_000,
  defaultText: '1m',
  parse: parsePer,
}

const FLUSH: ValueOption<number> = {
  kind: 'value',
  name: 'flush',
  value: 'ms',
  help: 'the flush interval: ms, or such as 1s',
  default: 100,
  defaultText: '100',
  parse: parseFlush,
}

const ROWS: ValueOption<number> = {
  kind: 'value',
  name: 'rows',
  value: 'n',
  help: 'rows of each table to print; --json has them all',
  default: 50,
  defaultText: '50',
  parse: (text) => parseWhole(text, 1, ROWS_MAX),
}

const TIME_ZONE: ValueOption<string> = {
  kind: 'value',
  name: 'time-zone',
  value: 'zone',
  help: 'print times as in this zone, such as Europe/Berlin',
  default: 'UTC',
  defaultText: 'UTC',
  parse: parseTimeZone,
}

// Each command loads its modules when it runs, so that none waits for what another needs.

const demo: Command = {
  name: 'demo',
  summary: 'show what VSA does, on SQLite: the net effect, full speed, and a kill followed by a trial balance',
  operands: [],
  options: [NEW_STORE, SECONDS, JSON_OUTPUT],
  async run(invocation) {
    const storePath = invocation.value(NEW_STORE)
    const seconds = invocation.value(SECONDS)
    const { demo } = await import('./demo/demo.ts')
    return demo({
      ...(storePath === undefined ? {} : { storePath }),
      seconds,
      showsProgress: !invocation.isSet(JSON_OUTPUT),
      paint: paintFor(process.stdout, process.env),
      cliPath: fileURLToPath(new URL('main.js', import.meta.url)),
    })
  },
}

const replay: Command = {
  name: 'replay',
  summary: 'run an access log (Apache or nginx combined, or NDJSON; gzip too) through VSA, on the time of the log',
  operands: [LOG_FILE],
  options: [KEY, LIMIT, PER, FLUSH, KEPT_STORE, JSON_OUTPUT],
  async run(invocation) {
    const storePath = invocation.value(KEPT_STORE)
    const options = {
      file: invocation.operand(LOG_FILE),
      key: invocation.value(KEY),
      limit: invocation.value(LIMIT),
      per: invocation.value(PER),
      flushIntervalMs: invocation.value(FLUSH),
      ...(storePath === undefined ? {} : { storePath }),
      showsProgress: true,
    }
    const { replay } = await import('./replay/replay.ts')
    return replay(options)
  },
}

const verify: Command = {
  name: 'verify',
  summary: 'check that every row of a store adds up and that its file is sound; exits 1 and names what is not',
  operands: [STORE_FILE],
  options: [JSON_OUTPUT],
  async run(invocation) {
    const { verify } = await import('./verify.ts')
    return verify(invocation.operand(STORE_FILE))
  },
}

const inspect: Command = {
  name: 'inspect',
  summary: 'show the budgets, leases, owners and counters of a store',
  operands: [STORE_FILE, ONE_KEY],
  options: [ROWS, TIME_ZONE, JSON_OUTPUT],
  async run(invocation) {
    const options = { rowsMax: invocation.value(ROWS), timeZone: invocation.value(TIME_ZONE) }
    const { inspect } = await import('./inspect.ts')
    return inspect(invocation.operand(STORE_FILE), invocation.optionalOperand(ONE_KEY), options)
  },
}

const repairClock: Command = {
  name: 'repair-clock',
  summary:
    'set the time of a store back to the clock of this machine, after a process with a clock ahead has used it; exits 1 when it must stay ahead',
  operands: [STORE_FILE],
  options: [JSON_OUTPUT],
  async run(invocation) {
    const { setClockBack } = await import('./repair-clock.ts')
    return setClockBack(invocation.operand(STORE_FILE), Date.now())
  },
}

/** The process that `demo` starts and kills. */
const demoVictim: Command = {
  name: 'demo-victim',
  summary: 'admit at full speed until killed',
  operands: [STORE_FILE, TALLY_FILE],
  options: [],
  isHidden: true,
  async run(invocation) {
    const { runVictim } = await import('./demo/victim.ts')
    await runVictim(invocation.operand(STORE_FILE), invocation.operand(TALLY_FILE))
    return null
  },
}

export const COMMANDS: readonly Command[] = [demo, replay, verify, inspect, repairClock, demoVictim]

function parseFlush(text: string): number {
  const ms = parseDuration(text)
  if (ms > FLUSH_MAX_MS) throw new RangeError(`expected at most ${FLUSH_MAX_MS} ms, got ${JSON.stringify(text)}`)
  return ms
}
