import { fileURLToPath } from 'node:url'
import type { Per } from '../core/policy.ts'
import { UNITS_MAX } from '../core/units.ts'
import { ADDRESS_HELP, NEW_STORE_HELP, POSTGRES_ADDRESS } from './address-help.ts'
import { type Command, type Flag, type Operand, UsageError, type ValueOption } from './command.ts'
import { parseDuration, parsePer, parseTimeZone, parseWhole } from './option-values.ts'
import { paintFor } from './paint.ts'
import { type KeyField, parseKeyField } from './replay/key-field.ts'

const FLUSH_MAX_MS = 3_600_000
const DEMO_SECONDS_MAX = 3_600
const ROWS_MAX = 1_000_000

export const JSON_OUTPUT: Flag = { kind: 'flag', name: 'json', help: 'print one JSON document and nothing else' }

const STORE: Operand = { name: 'store', help: ADDRESS_HELP, isRequired: true }
const STORE_FILE: Operand = { name: 'store', help: 'the SQLite file', isRequired: true }
const SERVER_STORE: Operand = { name: 'store', help: POSTGRES_ADDRESS, isRequired: true }
const LOG_FILE: Operand = { name: 'file', help: 'the log; - is standard input', isRequired: true }
const ONE_KEY: Operand = { name: 'key', help: 'one budget: all its periods', isRequired: false }
const WHICH_KEY: Operand = { name: 'key', help: 'the budget', isRequired: true }
const TALLY_FILE: Operand = { name: 'tally', help: 'the file for its own count', isRequired: true }

const AGENT: Operand = { name: 'agent', help: 'its name', isRequired: true }
const STORY: Operand = {
  name: 'agents',
  help: 'show reservations instead: five agents, and one is killed',
  isRequired: false,
}

const NEW_STORE: ValueOption<string | undefined> = {
  kind: 'value',
  name: 'store',
  value: 'store',
  help: NEW_STORE_HELP,
  default: undefined,
  parse: (address) => address,
}

const KEPT_STORE: ValueOption<string | undefined> = {
  ...NEW_STORE,
  value: 'path',
  help: 'keep the store in this new SQLite file (default: in memory)',
}

const CSV: Flag = { kind: 'flag', name: 'csv', help: 'print comma-separated values, every row, with times in UTC' }

const SPREADSHEET: Flag = {
  kind: 'flag',
  name: 'spreadsheet',
  help: "as --csv; no key is a formula: ' is put before = + - @",
}

const PRINT: Flag = { kind: 'flag', name: 'print', help: 'print the SQL instead of running it; connects to nothing' }

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
  summary:
    'show what VSA does, on SQLite, Postgres or Redis: the net effect, full speed, and a kill followed by a trial balance',
  operands: [STORY],
  options: [NEW_STORE, SECONDS, JSON_OUTPUT],
  async run(invocation) {
    const store = invocation.value(NEW_STORE)
    const seconds = invocation.value(SECONDS)
    const story = invocation.optionalOperand(STORY)
    if (story !== undefined && story !== STORY.name)
      throw new UsageError(`unknown demonstration '${story}': it is '${STORY.name}', or none`)
    const { demo, demoAgents } = await import('./demo/demo.ts')
    const options = {
      ...(store === undefined ? {} : { store }),
      showsProgress: !invocation.isSet(JSON_OUTPUT),
      paint: paintFor(process.stdout, process.env),
      cliPath: fileURLToPath(new URL('main.js', import.meta.url)),
    }
    return story === undefined ? demo({ ...options, seconds }) : demoAgents(options)
  },
}

const replay: Command = {
  name: 'replay',
  summary: 'run an access log (Apache or nginx combined, or NDJSON; gzip too) through VSA, on the time of the log',
  operands: [LOG_FILE],
  options: [KEY, LIMIT, PER, FLUSH, KEPT_STORE, JSON_OUTPUT],
  async run(invocation) {
    const store = invocation.value(KEPT_STORE)
    const options = {
      file: invocation.operand(LOG_FILE),
      key: invocation.value(KEY),
      limit: invocation.value(LIMIT),
      per: invocation.value(PER),
      flushIntervalMs: invocation.value(FLUSH),
      ...(store === undefined ? {} : { store }),
      showsProgress: true,
    }
    const { replay } = await import('./replay/replay.ts')
    return replay(options)
  },
}

const verify: Command = {
  name: 'verify',
  summary: 'check that every row of a store adds up and that the store is sound; exits 1 and names what is not',
  operands: [STORE],
  options: [JSON_OUTPUT],
  async run(invocation) {
    const { verify } = await import('./verify.ts')
    return verify(invocation.operand(STORE))
  },
}

const inspect: Command = {
  name: 'inspect',
  summary: 'show the budgets, leases, owners and counters of a store; with a key, its reservations too',
  operands: [STORE, ONE_KEY],
  options: [ROWS, TIME_ZONE, JSON_OUTPUT],
  async run(invocation) {
    const options = { rowsMax: invocation.value(ROWS), timeZone: invocation.value(TIME_ZONE) }
    const { inspect } = await import('./inspect.ts')
    return inspect(invocation.operand(STORE), invocation.optionalOperand(ONE_KEY), options)
  },
}

const whyCommand: Command = {
  name: 'why',
  summary:
    'say why a budget denies now: what is used, who holds leases since when, which ids have reserved, and when units come back',
  operands: [STORE, WHICH_KEY],
  options: [TIME_ZONE, JSON_OUTPUT],
  async run(invocation) {
    const { why } = await import('./why.ts')
    return why(invocation.operand(STORE), invocation.operand(WHICH_KEY), Date.now(), invocation.value(TIME_ZONE))
  },
}

const usageCommand: Command = {
  name: 'usage',
  summary: 'show what each budget has used in each period, and what is reserved, for an invoice or a report',
  operands: [STORE, ONE_KEY],
  options: [CSV, SPREADSHEET, ROWS, TIME_ZONE, JSON_OUTPUT],
  async run(invocation) {
    const csv = [SPREADSHEET, CSV].find((flag) => invocation.isSet(flag))
    if (csv !== undefined && invocation.isSet(JSON_OUTPUT))
      throw new UsageError(`'vsa usage' takes '--${csv.name}' or '--json', not both`)
    const { usage } = await import('./usage.ts')
    return usage(invocation.operand(STORE), invocation.optionalOperand(ONE_KEY), {
      isCsv: csv !== undefined,
      isForSpreadsheet: csv === SPREADSHEET,
      isTerminal: process.stdout.isTTY,
      rowsMax: invocation.value(ROWS),
      timeZone: invocation.value(TIME_ZONE),
    })
  },
}

const repairClock: Command = {
  name: 'repair-clock',
  summary:
    'set the time of a SQLite store back to the clock of this machine, after a process with a clock ahead has used it; exits 1 when it must stay ahead',
  operands: [STORE_FILE],
  options: [JSON_OUTPUT],
  async run(invocation) {
    const { setClockBack } = await import('./repair-clock.ts')
    return setClockBack(invocation.operand(STORE_FILE), Date.now())
  },
}

const migrate: Command = {
  name: 'migrate',
  summary:
    'make the schema and the tables of a store on Postgres where they are missing; run it with a role that may, before others use the store',
  operands: [SERVER_STORE],
  options: [PRINT, JSON_OUTPUT],
  async run(invocation) {
    const { migrate } = await import('./migrate.ts')
    return migrate(invocation.operand(SERVER_STORE), invocation.isSet(PRINT))
  },
}

/** The process that `demo` starts and kills. */
const demoVictim: Command = {
  name: 'demo-victim',
  summary: 'admit at full speed until killed',
  operands: [STORE, TALLY_FILE],
  options: [],
  isHidden: true,
  async run(invocation) {
    const { runVictim } = await import('./demo/victim.ts')
    const { placeOf } = await import('./stores/place-of.ts')
    await runVictim(placeOf(invocation.operand(STORE)), invocation.operand(TALLY_FILE))
    return null
  },
}

/** One of the processes that `demo agents` starts. */
const demoAgent: Command = {
  name: 'demo-agent',
  summary: 'reserve when called, and stream until killed',
  operands: [STORE, AGENT],
  options: [],
  isHidden: true,
  async run(invocation) {
    const { runAgent } = await import('./demo/agent.ts')
    const { placeOf } = await import('./stores/place-of.ts')
    await runAgent(placeOf(invocation.operand(STORE)), invocation.operand(AGENT))
    return null
  },
}

export const COMMANDS: readonly Command[] = [
  demo,
  replay,
  verify,
  inspect,
  whyCommand,
  usageCommand,
  migrate,
  repairClock,
  demoVictim,
  demoAgent,
]

function parseFlush(text: string): number {
  const ms = parseDuration(text)
  if (ms > FLUSH_MAX_MS) throw new RangeError(`expected at most ${FLUSH_MAX_MS} ms, got ${JSON.stringify(text)}`)
  return ms
}
