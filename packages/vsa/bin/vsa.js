#!/usr/bin/env node
// Committed as JavaScript: npm links a command only to a file that exists at install time, and `dist` is built later.
import { existsSync } from 'node:fs'

const main = new URL('../dist/cli/main.js', import.meta.url)

if (existsSync(main)) {
  await import(main.href)
} else {
  process.stderr.write('vsa: the command is not built yet. Run `npm run build` in the root of the repository.\n')
  process.exitCode = 2
}
