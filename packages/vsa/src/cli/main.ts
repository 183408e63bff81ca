#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Per } from '../core/policy.ts'
import { UNITS_MAX } from '../core/units.ts'
import { parseDuration, parsePer, parseWhole } from './duration.ts'
import { type KeyField, parseKeyField } from './replay/key-field.ts'
import { type Report, describeError } from './report.ts'

// Each command is loaded when it is called: none waits for what another needs.

/** 0: everything adds up. 1: it does not. 2: the command could not do its work, or was not understood. */
type ExitCode = 0 | 1 | 2

/** Rows of each table that `inspect` prints, unless told otherwise. */
const ROWS_SHOWN = 50
const FLUSH_MAX_MS = 3_600_000
const SECONDS_MAX = 3_600

const KEY_HELP = 'what has a budget: ip, path, user or field:NAME'
const LIMIT_HELP = 'units for each key and period'
const PER_HELP = 'the period: second to year, or such as 90s, 1m, 1h, 1d'
const FLUSH_HELP = 'the flush interval: ms, or such as 1s'

interface Common {
  readonly json?: true
}

const program = new Command('vsa')
  .description('VSA: exact admission in memory, with only the net effect made durable')
  .version(packageVersion())
  .exitOverride()

program
  .command('demo')
  .description('show what VSA does, on SQLite: the net effect, full speed, and a kill followed by a trial balance')
  .addOption(storeOption())
  .option('--seconds <n>', 'how long to run at full speed', argument(wholeFrom(1, SECONDS_MAX)), 5)
  .addOption(jsonOption())
  .action((options: Common & { readonly store?: string; readonly seconds: number }) =>
    finish(options, async () => {
      const { demo } = await import('./demo/demo.ts')
      return demo({
        ...(options.store === undefined ? {} : { storePath: options.store }),
        seconds: options.seconds,
        showsProgress: options.json !== true,
        cliPath: fileURLToPath(import.meta.url),
      })
    }),
  )

program
  .command('replay')
  .description('run an access log (Apache or nginx combined, or NDJSON; gzip too) through VSA, on the time of the log')
  .argument('<file>', 'the log')
  .addOption(
    new Option('--key <field>', KEY_HELP).argParser(argument(parseKeyField)).default(parseKeyField('ip'), 'ip'),
  )
  .addOption(new Option('--limit <units>', LIMIT_HELP).argParser(argument(wholeFrom(0, UNITS_MAX))).default(60))
  .addOption(new Option('--per <period>', PER_HELP).argParser(argument(parsePer)).default(60_000, '1m'))
  .addOption(new Option('--flush <ms>', FLUSH_HELP).argParser(argument(parseFlush)).default(100))
  .addOption(storeOption())
  .addOption(jsonOption())
  .action((file: string, options: Common & ReplayFlags) =>
    finish(options, async () => {
      const { replay } = await import('./replay/replay.ts')
      return replay({
        file,
        key: options.key,
        limit: options.limit,
        per: options.per,
        flushIntervalMs: options.flush,
        ...(options.store === undefined ? {} : { storePath: options.store }),
        showsProgress: true,
      })
    }),
  )

interface ReplayFlags {
  readonly key: KeyField
  readonly limit: number
  readonly per: Per
  readonly flush: number
  readonly store?: string
}

program
  .command('verify')
  .description('draw the trial balance of every row of a store; exits 1 and names the row when one does not add up')
  .argument('<store>', 'the SQLite file')
  .addOption(jsonOption())
  .action((store: string, options: Common) => finish(options, async () => (await import('./verify.ts')).verify(store)))

program
  .command('inspect')
  .description('show the budgets, leases, owners and counters of a store')
  .argument('<store>', 'the SQLite file')
  .argument('[key]', 'one budget: all its periods')
  .option(
    '--rows <n>',
    'rows of each table to print; --json has them all',
    argument(wholeFrom(1, 1_000_000)),
    ROWS_SHOWN,
  )
  .addOption(jsonOption())
  .action((store: string, key: string | undefined, options: Common & { readonly rows: number }) =>
    finish(options, async () => (await import('./inspect.ts')).inspect(store, key, options.rows)),
  )

program
  .command('demo-victim', { hidden: true })
  .argument('<store>')
  .argument('<tally>')
  .action(async (store: string, tally: string) => (await import('./demo/victim.ts')).runVictim(store, tally))

// Whoever reads the output may have seen enough (`| head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})
process.exitCode = await run()

async function run(): Promise<ExitCode> {
  try {
    await program.parseAsync()
    return process.exitCode === 1 ? 1 : 0
  } catch (error) {
    // Commander has said what is wrong with the command line already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const { code, message } = describeError(error)
    process.stderr.write(`vsa: ${message} (${code})\n`)
    if (process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ ok: false, error: { code, message } })}\n`)
    return 2
  }
}

/** Prints what a command found. */
async function finish({ json }: Common, command: () => Promise<Report>): Promise<void> {
  const report = await command()
  process.stdout.write(json === true ? `${JSON.stringify(report.json, null, 2)}\n` : `${report.text}\n`)
  process.exitCode = report.ok ? 0 : 1
}

function storeOption(): Option {
  return new Option('--store <path>', 'keep the store in this new SQLite file (default: a temporary one)')
}

function jsonOption(): Option {
  return new Option('--json', 'print one JSON document and nothing else')
}

/** Commander takes its own errors only as a complaint about what was typed. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError(describeError(error).message)
    }
  }
}

function wholeFrom(min: number, max: number): (text: string) => number {
  return (text) => parseWhole(text, min, max)
}

function parseFlush(text: string): number {
  const ms = parseDuration(text)
  if (ms > FLUSH_MAX_MS) throw new RangeError(`expected at most ${FLUSH_MAX_MS} ms, got ${JSON.stringify(text)}`)
  return ms
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '?'
}
