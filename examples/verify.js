import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Runs `vsa verify FILE`, and prints what it says. Its exit code is not 0 where the books do not balance, and then this throws. */
export function verify(file) {
  const command = join(dirname(fileURLToPath(import.meta.resolve('vsa/package.json'))), 'bin/vsa.js')
  const report = execFileSync(process.execPath, [command, 'verify', file], { encoding: 'utf8' })
  console.log(`$ vsa verify ${file}\n${report.trimEnd()}`)
}
