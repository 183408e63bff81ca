#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { type Request, parseCommandLine } from './command-line.ts'
import { COMMANDS, JSON_OUTPUT } from './commands.ts'
import { commandHelp, programHelp } from './help.ts'
import { describeError } from './report.ts'
import { escaped, jsonText } from './safe-text.ts'

/** 0: everything adds up. 1: it does not. 2: the command failed, or was not understood. */
type ExitCode = 0 | 1 | 2

// A reader that closes the pipe early, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<ExitCode> {
  try {
    return await answer(parseCommandLine(COMMANDS, args))
  } catch (error) {
    writeFailure(error, wantsJson(args))
    return 2
  }
}

async function answer(request: Request): Promise<ExitCode> {
  switch (request.kind) {
    case 'version':
      process.stdout.write(`${packageVersion()}\n`)
      return 0
    case 'help': {
      const text = request.command === undefined ? programHelp(COMMANDS) : commandHelp(request.command)
      const output = request.isAsked ? process.stdout : process.stderr
      output.write(`${text}\n`)
      return request.isAsked ? 0 : 2
    }
    case 'run': {
      const report = await request.command.run(request.invocation)
      if (report === null) return 0
      const isJson = request.invocation.isSet(JSON_OUTPUT)
      process.stdout.write(isJson ? `${jsonText(report.json)}\n` : `${report.text}\n`)
      return report.ok ? 0 : 1
    }
  }
}

/** Also when the arguments were not understood. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes(`--${JSON_OUTPUT.name}`)
}

function writeFailure(error: unknown, isJson: boolean): void {
  const { code, message } = describeError(error)
  process.stderr.write(`vsa: ${escaped(message)} (${code})\n`)
  if (isJson) process.stdout.write(`${jsonText({ ok: false, error: { code, message } }, 0)}\n`)
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '?'
}
