// npm run example -- NAME: runs the program without VSA, then the one with it, each in a new temporary folder.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const names = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
  .map(({ name }) => name)
const [name = '', ...more] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`usage: npm run example -- ${names.join(' | ')}`)
  process.exit(2)
}
for (const program of ['before', 'after']) {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-example-'))
  console.log(`\n${name}/${program}.js`)
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, name, `${program}.js`), ...more], {
    cwd: folder,
    stdio: 'inherit',
  })
  rmSync(folder, { recursive: true, force: true })
  if (status !== 0) process.exit(1)
}
