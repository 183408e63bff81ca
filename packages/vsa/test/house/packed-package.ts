import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, beforeEach } from 'vitest'
import { root } from './repository.ts'

/** Reached only by a hung process. */
const TIMEOUT_MS = 600_000

const NETWORK_ERRORS = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH|NOTCACHED)/

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Runs a program to its end. @returns what it printed to stdout */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return (await runBoth(command, args, cwd)).stdout
}

/** Runs a program to its end. @returns what it printed */
export async function runBoth(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, timeout: TIMEOUT_MS })
  return { stdout, stderr }
}

/** Makes the tarball of the built package in `folder`. */
async function pack(folder: string): Promise<Packed> {
  const out = await run('npm', ['pack', '--json', '--workspace', 'vsa', '--pack-destination', folder], root)
  return (JSON.parse(out.slice(out.indexOf('['))) as [Packed])[0]
}

/** A new project with these packages. @returns why they cannot be installed; null when they are */
async function makeProject(project: string, packages: readonly string[]): Promise<string | null> {
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], project)
    return null
  } catch (error) {
    if (!NETWORK_ERRORS.test(String(error))) throw error
    return `npm cannot reach a registry: ${String(error)}`
  }
}

/** Before the tests of a file: packs the package and makes the projects. Without a network the tests are skipped. In CI they fail. */
export function withProjects(folder: string, projects: (tarball: string) => Record<string, readonly string[]>): Packed {
  const packed = { filename: '', files: [] as Packed['files'] }
  let notInstalled: string | null = null
  beforeAll(async () => {
    Object.assign(packed, await pack(folder))
    for (const [project, packages] of Object.entries(projects(join(folder, packed.filename))))
      notInstalled ??= await makeProject(project, packages)
  })
  beforeEach(({ skip }) => {
    if (notInstalled !== null && process.env['CI'] === 'true') throw new Error(notInstalled)
    skip(notInstalled !== null, notInstalled ?? '')
  })
  return packed
}
